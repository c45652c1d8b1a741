//! What does a request come to whose model is `assistant:<id>`? The assistant's instructions stand before its
//! messages, the assistant's model answers, and its documents are asked, all with the caller's own rights.

use portico_shared::assistant::Definition;
use portico_shared::catalogue::Kind;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::openai::ListedModel;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answering::Asked;
use super::body::Body;
use super::{Caller, Gateway};

const PREFIX: &str = "assistant:";
const RETRIEVAL: &str = "retrieval";
const MESSAGES: &str = "messages";

/// The assistant's id in a model's name.
pub fn id_of(model: &str) -> Option<Uuid> {
    model.strip_prefix(PREFIX).and_then(|id| id.parse().ok())
}

impl Gateway {
    /// Puts the assistant that a request names into it; any other request stays as it is.
    ///
    /// # Errors
    /// `assistant_not_found`, also for who has no account; `model_not_found` where no model may answer.
    pub async fn with_assistant(&self, mut asked: Asked) -> Result<Asked, ApiError> {
        let Some(id) = id_of(asked.body.model()?) else { return Ok(asked) };
        if asked.caller.person().is_none() {
            return Err(ApiError::new(ErrorCode::AssistantNotFound));
        }
        let definition = self.assistants.one(&asked.caller, id).await?.definition;
        let model = self.model_of(&asked.caller, &definition).await?;
        let mut fields = asked.body.fields().clone();
        fields.insert("model".to_owned(), model.into());
        if !definition.instructions.is_empty() {
            let messages = fields.entry(MESSAGES).or_insert_with(|| json!([]));
            instruct(messages, &definition.instructions);
        }
        let mut readable =
            self.documents.readable(&asked.caller.rights, None).await.unwrap_or_default();
        readable.retain(|collection| definition.collections.contains(collection));
        if !readable.is_empty() && !fields.contains_key(RETRIEVAL) {
            let retrieval = json!({ "collections": readable, "allow_tools": true });
            fields.insert(RETRIEVAL.to_owned(), retrieval);
        }
        asked.body = Body::from_fields(fields);
        Ok(asked)
    }

    /// The preferred model, or one that stands in where it may.
    async fn model_of(&self, caller: &Caller, wanted: &Definition) -> Result<String, ApiError> {
        let mut models = self.listed().await?;
        models.retain(|model| model.kind == Kind::Chat && self.may_see(caller, &model.id));
        let preferred = wanted.model.as_ref();
        let found = preferred.and_then(|wanted| models.iter().find(|model| model.id == *wanted));
        let may_stand_in = preferred.is_none() || wanted.may_stand_in;
        let found = found.or_else(|| models.first().filter(|_| may_stand_in));
        let missing = preferred.cloned().unwrap_or_default();
        let not_found = || ApiError::new(ErrorCode::ModelNotFound).with("model", missing);
        found.map(|model| model.id.clone()).ok_or_else(not_found)
    }

    /// Those that a key may name as a model. The page has a list of its own.
    pub async fn listed_assistants(&self, caller: &Caller) -> Result<Vec<ListedModel>, ApiError> {
        if caller.person().is_none() || !caller.has_key() {
            return Ok(Vec::new());
        }
        let (all, _) = self.assistants.all(caller).await?;
        let listed = all.into_iter().map(|one| ListedModel {
            id: format!("{PREFIX}{}", one.id),
            object: "model".to_owned(),
            created: one.changed_s,
            owned_by: "assistant".to_owned(),
            kind: Kind::Chat,
            n_ctx: None,
        });
        Ok(listed.collect())
    }
}

/// The instructions stand first; a system message that is there goes on behind them.
fn instruct(messages: &mut Value, instructions: &str) {
    let Value::Array(messages) = messages else { return };
    let own = messages.first_mut().filter(|first| {
        matches!(first.get("role").and_then(Value::as_str), Some("system" | "developer"))
    });
    if let Some(content) = own.and_then(|first| first.get_mut("content"))
        && let Some(text) = content.as_str()
    {
        *content = format!("{instructions}\n\n{text}").into();
        return;
    }
    messages.insert(0, json!({ "role": "system", "content": instructions }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_stand_before_the_requests_own() {
        let user = json!({ "role": "user", "content": "Hi" });
        let mut messages = json!([user]);
        instruct(&mut messages, "Be brief.");
        assert_eq!(messages, json!([{ "role": "system", "content": "Be brief." }, user]));
        instruct(&mut messages, "Be kind.");
        assert_eq!(messages[0]["content"], "Be kind.\n\nBe brief.");
        assert_eq!(messages.as_array().unwrap().len(), 2);
        let mut wrong = json!("no list");
        instruct(&mut wrong, "x");
        assert_eq!(wrong, json!("no list"));
    }

    #[test]
    fn only_an_id_behind_the_prefix_is_one() {
        let id = Uuid::from_u128(7);
        assert_eq!(id_of(&format!("assistant:{id}")), Some(id));
        for other in ["assistant:", "assistant:x", "smollm2", ""] {
            assert_eq!(id_of(other), None);
        }
    }
}
