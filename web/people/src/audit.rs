//! Which lines of the audit log are asked for, and what do they say?

use serde::Deserialize;

use crate::texts::Text;

/// Lines that are asked for at once.
pub const PAGE: usize = 100;
const DAY_S: i64 = 86_400;

/// A line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Entry {
    pub id: i64,
    pub at_s: i64,
    pub who: String,
    #[serde(default)]
    pub key: Option<String>,
    pub action: String,
    #[serde(default)]
    pub object: String,
    #[serde(default)]
    pub model: Option<String>,
    #[serde(default)]
    pub place: Option<String>,
    #[serde(default)]
    pub prompt_tokens: Option<u64>,
    #[serde(default)]
    pub completion_tokens: Option<u64>,
    #[serde(default)]
    pub outcome: String,
}

/// `GET /api/audit`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Entries {
    pub entries: Vec<Entry>,
}

/// What is asked for. Days are `YYYY-MM-DD`, as a date field has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub from: String,
    pub to: String,
    pub who: String,
    pub action: String,
}

impl Filter {
    /// The query behind `?`. `zone_s` is what the person's clock is ahead of UTC.
    pub fn query(&self, zone_s: i64, before: Option<i64>) -> String {
        let mut pairs = Vec::new();
        if let Some(day) = day_of(&self.from) {
            pairs.push(format!("from_s={}", (day * DAY_S - zone_s).max(0)));
        }
        if let Some(day) = day_of(&self.to) {
            // The whole of that day.
            pairs.push(format!("to_s={}", ((day + 1) * DAY_S - zone_s).max(0)));
        }
        for (name, value) in [("who", &self.who), ("action", &self.action)] {
            if !value.trim().is_empty() {
                pairs.push(format!("{name}={}", encoded(value.trim())));
            }
        }
        if let Some(before) = before {
            pairs.push(format!("before={before}"));
        }
        pairs.join("&")
    }
}

/// What can be noted, as the server names it, and as a person says it.
pub const ACTIONS: &[(&str, Text)] = &[
    ("chat", Text::ActChat),
    ("completions", Text::ActCompletions),
    ("embeddings", Text::ActEmbeddings),
    ("rerank", Text::ActRerank),
    ("tool_called", Text::ActToolCall),
    ("mcp_checked", Text::ActMcpCheck),
    ("mcp_added", Text::ActMcpAdded),
    ("mcp_changed", Text::ActMcpChanged),
    ("mcp_removed", Text::ActMcpRemoved),
    ("model_pulled", Text::ActModelPulled),
    ("model_verified", Text::ActModelVerified),
    ("model_added", Text::ActModelAdded),
    ("model_removed", Text::ActModelRemoved),
    ("licence_accepted", Text::ActLicenceAccepted),
    ("default_models_chosen", Text::ActDefaultModels),
    ("sign_in", Text::ActSignIn),
    ("sign_out", Text::ActSignOut),
    ("joined", Text::ActJoined),
    ("password_changed", Text::ActPasswordChanged),
    ("password_reset", Text::ActPasswordReset),
    ("totp_on", Text::ActTotpOn),
    ("totp_off", Text::ActTotpOff),
    ("session_ended", Text::ActSessionEnded),
    ("signed_out", Text::ActSignedOut),
    ("key_made", Text::ActKeyMade),
    ("key_revoked", Text::ActKeyRevoked),
    ("exported", Text::ActExported),
    ("renamed", Text::ActRenamed),
    ("role_admin", Text::ActRoleAdmin),
    ("role_member", Text::ActRoleMember),
    ("role_guest", Text::ActRoleGuest),
    ("groups_changed", Text::ActGroupsChanged),
    ("blocked", Text::ActBlocked),
    ("unblocked", Text::ActUnblocked),
    ("person_deleted", Text::ActPersonDeleted),
    ("link_invite", Text::ActLinkInvite),
    ("link_reset", Text::ActLinkReset),
    ("link_admin", Text::ActLinkAdmin),
    ("link_removed", Text::ActLinkRemoved),
    ("group_added", Text::ActGroupAdded),
    ("group_changed", Text::ActGroupChanged),
    ("group_removed", Text::ActGroupRemoved),
    ("policy_changed", Text::ActPolicyChanged),
    ("look_changed", Text::ActLookChanged),
    ("chat_shared", Text::ActChatShared),
    ("chat_share_changed", Text::ActChatShareChanged),
    ("chat_share_ended", Text::ActChatShareEnded),
    ("announcement_made", Text::ActAnnouncementMade),
    ("announcement_changed", Text::ActAnnouncementChanged),
    ("announcement_removed", Text::ActAnnouncementRemoved),
    ("prompt_made", Text::ActPromptMade),
    ("prompt_changed", Text::ActPromptChanged),
    ("prompt_removed", Text::ActPromptRemoved),
    ("oidc_rules_changed", Text::ActOidcRulesChanged),
    ("audit_exported", Text::ActAuditExported),
    ("usage_exported", Text::ActUsageExported),
    ("usage_settings_changed", Text::ActUsageSettingsChanged),
    ("assistant_added", Text::ActAssistantAdded),
    ("assistant_changed", Text::ActAssistantChanged),
    ("assistant_shared", Text::ActAssistantShared),
    ("assistant_removed", Text::ActAssistantRemoved),
    ("attachment_added", Text::ActAttachmentAdded),
    ("attachment_given_up", Text::ActAttachmentGivenUp),
    ("document_added", Text::ActDocumentAdded),
    ("document_replaced", Text::ActDocumentReplaced),
    ("document_removed", Text::ActDocumentRemoved),
    ("document_cancelled", Text::ActDocumentCancelled),
    ("collection_added", Text::ActCollectionAdded),
    ("collection_changed", Text::ActCollectionChanged),
    ("collection_rights_changed", Text::ActCollectionRightsChanged),
    ("collection_removed", Text::ActCollectionRemoved),
    ("folder_synced", Text::ActFolderSynced),
    ("site_crawled", Text::ActSiteCrawled),
    ("vectors_moved", Text::ActVectorsMoved),
    ("vectors_move_cancelled", Text::ActVectorsMoveCancelled),
    ("backup_restored", Text::ActBackupRestored),
];

/// None: a later server's word, which is shown as it is.
pub fn action_text(action: &str) -> Option<Text> {
    ACTIONS.iter().find(|(name, _)| *name == action).map(|(_, text)| *text)
}

/// Who stands in a line that is no person's; none for an id.
pub fn who_text(who: &str) -> Option<Text> {
    Some(match who {
        "page" => Text::WhoPage,
        "operator" | "serve" => Text::WhoOperator,
        "nobody" => Text::WhoNobody,
        gone if gone.starts_with("gone-") => Text::WhoGone,
        _ => return None,
    })
}

/// Days since 1970 of `YYYY-MM-DD`.
pub(crate) fn day_of(date: &str) -> Option<i64> {
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let is_date =
        (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !is_date || parts.next().is_some() {
        return None;
    }
    // Howard Hinnant's days_from_civil: years begin in March, so that leap days end them.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// As `encodeURIComponent` has it.
pub fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted() {
        for (date, day) in
            [("1970-01-01", 0), ("1970-03-01", 59), ("2000-02-29", 11_016), ("2026-11-26", 20_783)]
        {
            assert_eq!(day_of(date), Some(day), "{date}");
        }
        for date in ["", "2026", "2026-13-01", "26-1-1", "2026-01-01-01", "x-y-z"] {
            assert_eq!(day_of(date), None, "{date}");
        }
    }

    #[test]
    fn a_filter_asks_for_whole_days_of_the_persons_clock() {
        let filter = Filter {
            from: "1970-01-02".into(),
            to: "1970-01-02".into(),
            who: "a&b".into(),
            action: "sign_in".into(),
        };
        assert_eq!(
            filter.query(3_600, Some(7)),
            "from_s=82800&to_s=169200&who=a%26b&action=sign_in&before=7"
        );
        assert_eq!(Filter::default().query(0, None), "");
    }
}
