//! A conversation as text that everybody can read, in parts.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use sotto_api::view::{Delivery, Direction, ExportPart, MessageKind, Privacy};
use sotto_api::{ApiError, MessageId, Timestamp};
use sotto_store::row::{ConversationRow, MessageRow};

use super::{days, name_of};
use crate::account::Accounts;
use crate::context::Context;
use crate::error::Fault;
use crate::{text, words};

/// Messages of a part.
const MOST_MESSAGES: u32 = 500;
/// Size of a part, in bytes of text: one more message may go beyond it.
const MOST_BYTES: usize = 256 * 1024;
/// Longest name of a file without what follows it, in bytes.
const MOST_NAME: usize = 80;

/// What comes after a message, or the beginning.
pub(super) fn part(
    cx: &Context,
    accounts: &Accounts,
    row: &ConversationRow,
    zone: &TimeZone,
    after: Option<MessageId>,
) -> Result<ExportPart, ApiError> {
    let rows = cx
        .store
        .kept_after(row.id, after, MOST_MESSAGES + 1)
        .map_err(Fault::from)?;
    let name = name_of(cx, accounts, row)?;
    let own = accounts
        .get(&row.account)
        .map(|account| account.address.as_str().to_owned())
        .unwrap_or_default();
    let mut out = String::new();
    if after.is_none() {
        out = words::export_heading(&name, &row.jid, &own, zone.iana_name().unwrap_or_default());
    }
    let most = usize::try_from(MOST_MESSAGES).unwrap_or(usize::MAX);
    let mut last = None;
    let mut taken = 0;
    for message in rows.iter().take(most) {
        if out.len() >= MOST_BYTES {
            break;
        }
        let author = match message.direction {
            Direction::Incoming => &name,
            Direction::Outgoing => &own,
        };
        line(&mut out, message, author, zone);
        last = Some(message.id);
        taken += 1;
    }
    Ok(ExportPart {
        name: file_name(&name, cx.timestamp(), zone),
        text: out,
        next: last.filter(|_| taken < rows.len()),
    })
}

/// One message. What follows its first line is indented, so that no text can pretend to be another message.
fn line(out: &mut String, message: &MessageRow, author: &str, zone: &TimeZone) {
    let time = days::zoned(message.at, zone)
        .map(|at| at.strftime("%Y-%m-%d %H:%M:%S %:z").to_string())
        .unwrap_or_default();
    let body = text::clean(&message.body);
    let author = words::export_name(author);
    let marks = marks(message);
    let said = match message.kind {
        MessageKind::System => format!("[{time}] — {body}"),
        MessageKind::Action => {
            let action = text::action(&body).unwrap_or(&body);
            format!("[{time}] * {author} {action}{marks}")
        }
        MessageKind::Text => format!("[{time}] {author}{marks}: {body}"),
    };
    let mut lines = said.lines();
    if let Some(first) = lines.next() {
        out.push_str(first);
        out.push('\n');
    }
    for more in lines {
        // Writing into a string cannot fail.
        let _ = writeln!(out, "    {more}");
    }
}

fn marks(message: &MessageRow) -> String {
    let marks = [
        (message.edited && !message.deleted, words::EDITED),
        (message.deleted, words::TAKEN_BACK),
        (message.privacy == Privacy::None, words::NOT_ENCRYPTED),
        (
            message.delivery == Some(Delivery::Waiting)
                || message.delivery == Some(Delivery::Failed),
            words::NOT_SENT,
        ),
    ];
    let marks: Vec<&str> = marks
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, mark)| mark)
        .collect();
    if marks.is_empty() {
        String::new()
    } else {
        format!(" ({})", marks.join(", "))
    }
}

/// A name that every file system takes: *Leila Haddad 2026-11-26.txt*.
fn file_name(name: &str, now: Timestamp, zone: &TimeZone) -> String {
    let mut safe: String = text::clean_line(name)
        .chars()
        .map(|character| match character {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
            other => other,
        })
        .collect();
    while safe.len() > MOST_NAME {
        safe.pop();
    }
    let safe = safe.trim_matches(|c: char| c == '.' || c.is_whitespace());
    let safe = if safe.is_empty() { "-" } else { safe };
    match days::zoned(now, zone) {
        Some(today) => format!("{safe} {}.txt", today.date()),
        None => format!("{safe}.txt"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_hold_nothing_that_leads_elsewhere() {
        let zone = TimeZone::UTC;
        let name = |name: &str| file_name(name, Timestamp(0), &zone);
        assert_eq!(name("Leila Haddad"), "Leila Haddad 1970-01-01.txt");
        assert_eq!(name("../../etc/passwd"), "_.._etc_passwd 1970-01-01.txt");
        assert_eq!(name("a\\b:c\u{202e}d\ne"), "a_b_cd e 1970-01-01.txt");
        assert_eq!(name("..."), "- 1970-01-01.txt");
        assert!(name(&"ä".repeat(500)).len() < 100);
    }
}
