//! What of a result are words? Pictures, sounds and files are named, and not shown.

use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};

use super::super::{Called, plain};

/// Bytes that are passed on; the rest is left out, and that is said.
const TEXT_MAX_BYTES: usize = 200_000;
const NAME_CHARS_MAX: usize = 200;
const UNKNOWN: &str = "[something of an unknown kind: not shown]";

pub fn called(said: CallToolResult, max_bytes: usize) -> Called {
    let mut parts: Vec<String> = said.content.iter().map(part).collect();
    // Servers that give values give them as text too; some do not.
    if parts.is_empty()
        && let Some(value) = &said.structured_content
    {
        parts.push(value.to_string());
    }
    let mut result = plain::text(&parts.join("\n\n"));
    let max_bytes = max_bytes.min(TEXT_MAX_BYTES);
    if result.len() > max_bytes {
        let kept = result.floor_char_boundary(max_bytes);
        let n_left = result[kept..].chars().count();
        result.truncate(kept);
        result.push_str(&format!("\n[{n_left} more characters were left out]"));
    }
    Called { result, failed: said.is_error == Some(true) }
}

fn part(block: &ContentBlock) -> String {
    let unseen = |what: &str, kind: &str, base64: &str| {
        let n_bytes = base64.len() / 4 * 3;
        format!("[{what}, {}, about {n_bytes} bytes: not shown]", plain::line(kind, NAME_CHARS_MAX))
    };
    match block {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(image) => unseen("image", &image.mime_type, &image.data),
        ContentBlock::Audio(audio) => unseen("audio", &audio.mime_type, &audio.data),
        ContentBlock::Resource(resource) => match &resource.resource {
            ResourceContents::TextResourceContents { text, .. } => text.clone(),
            ResourceContents::BlobResourceContents { mime_type, blob, .. } => {
                unseen("file", mime_type.as_deref().unwrap_or("unknown"), blob)
            }
            _ => UNKNOWN.to_owned(),
        },
        ContentBlock::ResourceLink(link) => {
            let (name, uri) =
                (plain::line(&link.name, NAME_CHARS_MAX), plain::line(&link.uri, NAME_CHARS_MAX));
            format!("[link: {name}, {uri}]")
        }
        _ => UNKNOWN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(value: Value, max_bytes: usize) -> Called {
        called(serde_json::from_value(value).unwrap(), max_bytes)
    }

    #[test]
    fn words_are_passed_on_and_the_rest_is_named() {
        let said = of(
            json!({ "content": [
                { "type": "text", "text": "a\u{0}b" },
                { "type": "image", "mimeType": "image/png", "data": "AAAAAAAA" },
                { "type": "resource", "resource": { "uri": "x:1", "text": "inside" } },
                { "type": "resource", "resource": { "uri": "x:2", "blob": "AAAA", "mimeType": "a/b" } },
                { "type": "resource_link", "uri": "https://x.example", "name": "there" },
            ] }),
            1_000,
        );
        let expected = "ab\n\n[image, image/png, about 6 bytes: not shown]\n\ninside\n\n\
            [file, a/b, about 3 bytes: not shown]\n\n[link: there, https://x.example]";
        assert_eq!((said.result.as_str(), said.failed), (expected, false));
        let failed =
            of(json!({ "content": [{ "type": "text", "text": "no" }], "isError": true }), 9);
        assert!(failed.failed);
        assert_eq!(of(json!({ "structuredContent": { "n": 1 } }), 99).result, r#"{"n":1}"#);
    }

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        let said = of(json!({ "content": [{ "type": "text", "text": "ä".repeat(50) }] }), 9);
        assert_eq!(said.result, "ääää\n[46 more characters were left out]");
    }
}
