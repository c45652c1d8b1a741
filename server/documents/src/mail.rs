//! What does a mail say? Who wrote when to whom, the text, and what is attached.

use mail_parser::{Address, MessageParser, MimeHeaders as _};
use portico_shared::documents::{BlockKind, Builder, ExtractWarning, push_plain};

use crate::{ExtractError, Hint, Limits, extract_into, html};

const ATTACHMENTS_MAX: usize = 200;

pub(crate) fn extract(
    builder: &mut Builder,
    bytes: &[u8],
    limits: &Limits,
    depth: u32,
) -> Result<(), ExtractError> {
    let message = MessageParser::default()
        .parse(bytes)
        .ok_or_else(|| ExtractError::unreadable("no mail's headers"))?;
    let subject = message.subject().unwrap_or_default();
    builder.title(subject);
    builder.push(BlockKind::Heading { level: 1 }, subject);
    let mut head = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.trim().is_empty() {
            head.push_str(&format!("{name}: {value}\n"));
        }
    };
    line("From", &people(message.from()));
    line("To", &people(message.to()));
    line("Cc", &people(message.cc()));
    let date = message.date().map(|date| {
        let (y, mo, d, h, mi) = (date.year, date.month, date.day, date.hour, date.minute);
        format!("{y:04}-{mo:02}-{d:02} {h:02}:{mi:02}")
    });
    line("Date", &date.unwrap_or_default());
    builder.push(BlockKind::Paragraph, &head);
    // Plain text where the sender wrote one; `body_text` would make it of HTML otherwise.
    for (at, part) in message.text_bodies().enumerate() {
        match part.is_text_html() {
            true => builder.append(html::read(part.text_contents().unwrap_or_default())),
            false => push_plain(builder, &message.body_text(at).unwrap_or_default()),
        }
    }
    for (number, attachment) in message.attachments().enumerate().take(ATTACHMENTS_MAX) {
        let is_mail = attachment.message().is_some();
        let subject = attachment.message().and_then(|inner| inner.subject());
        let name = attachment.attachment_name().or(subject).unwrap_or_default();
        let name = if name.is_empty() { format!("#{}", number + 1) } else { name.to_owned() };
        let media_type = attachment
            .content_type()
            .map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("octet-stream")));
        builder.section(Some(&name));
        builder.push(BlockKind::Heading { level: 2 }, &name);
        let contents = attachment.message().map_or(attachment.contents(), |m| m.raw_message());
        let hint = Hint {
            name: if is_mail { "attached.eml".to_owned() } else { name.clone() },
            media_type,
        };
        let mut part = Builder::new(limits.text_chars.saturating_sub(builder.n_chars()));
        match extract_into(&mut part, contents, &hint, limits, depth + 1) {
            Ok(()) => builder.append(part.finish()),
            Err(error) => {
                let reason = error.to_string();
                builder.warn(ExtractWarning::PartLeftOut { part: name, reason });
            }
        }
        builder.section(None);
    }
    Ok(())
}

fn people(address: Option<&Address<'_>>) -> String {
    let Some(address) = address else { return String::new() };
    let of = |one: &mail_parser::Addr<'_>| match (one.name(), one.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => String::new(),
    };
    address.iter().map(of).collect::<Vec<_>>().join(", ")
}
