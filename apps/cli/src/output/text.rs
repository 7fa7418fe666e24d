//! Views as text for a terminal.
//!
//! Whatever comes from a server or another person goes through [`plain`]: a terminal obeys control characters.

use jiff::tz::TimeZone;
use sotto_api::Timestamp;
use sotto_api::view::{
    AccountView, BlockedView, CertificateView, ContactGroup, Direction, FieldKind, FormField,
    FormView, MessageKind, MessageView, ProfileState, ProfileView, ProtectionKind, Recording,
    RecordsView, SearchHit, SubscriptionView,
};

pub mod import;
pub mod private;

/// Text that a terminal only shows: control characters become U+FFFD, line breaks stay, and marks that
/// turn the direction of text are closed at the end of each line.
pub fn plain(text: &str) -> String {
    text.split('\n')
        .map(|line| {
            let mut shown: String = line
                .chars()
                .map(|c| match c {
                    '\t' => ' ',
                    c if c.is_control() => '\u{fffd}',
                    c => c,
                })
                .collect();
            close_directions(&mut shown);
            shown
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// Ends every embedding, override and isolate that the line leaves open (UAX #9 §2), so that it cannot
/// reorder what stands behind it.
fn close_directions(line: &mut String) {
    let (mut embeddings, mut isolates) = (0_usize, 0_usize);
    for c in line.chars() {
        match c {
            '\u{202a}' | '\u{202b}' | '\u{202d}' | '\u{202e}' => embeddings += 1,
            '\u{202c}' => embeddings = embeddings.saturating_sub(1),
            '\u{2066}'..='\u{2068}' => isolates += 1,
            '\u{2069}' => isolates = isolates.saturating_sub(1),
            _ => {}
        }
    }
    line.extend(std::iter::repeat_n('\u{202c}', embeddings));
    line.extend(std::iter::repeat_n('\u{2069}', isolates));
}

/// `2026-11-25 07:12` in the given zone.
pub fn time(at: Timestamp, zone: &TimeZone) -> String {
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(instant) => instant
            .to_zoned(zone.clone())
            .strftime("%Y-%m-%d %H:%M")
            .to_string(),
        Err(_) => "unknown time".to_owned(),
    }
}

/// The profile's state.
pub fn profile(view: &ProfileView) -> String {
    let state = match view.state {
        ProfileState::Absent => "There is no profile yet.",
        ProfileState::Locked => "The profile is locked.",
        ProfileState::Open => "The profile is open.",
    };
    let protection = match view.protection {
        Some(ProtectionKind::Passphrase) => " It is sealed under a passphrase.",
        Some(ProtectionKind::Keyring) => " Its key lies in the system's keyring.",
        Some(ProtectionKind::KeyFile) => " Its key lies in a file beside it.",
        None => "",
    };
    let mut words = format!("{state}{protection}\nFolder: {}", plain(&view.folder));
    if !view.warning.is_empty() {
        words.push('\n');
        words.push_str(&view.warning);
    }
    words
}

/// What is recorded, and what lies there.
pub fn records(view: &RecordsView) -> String {
    let stanzas = match view.stanzas {
        Recording::Off => "not recorded",
        Recording::Sealed => "recorded, sealed",
        Recording::Plain => "recorded, in plain files",
    };
    let log = if view.log { "kept, sealed" } else { "not kept" };
    let mut words = format!(
        "Stanzas: {stanzas}; {} files, {} bytes\nLog: {log}; {} bytes\nFolder: {}",
        view.stanza_files,
        view.stanza_bytes,
        view.log_bytes,
        plain(&view.folder)
    );
    for text in [&view.warning, &view.failure] {
        if !text.is_empty() {
            words.push('\n');
            words.push_str(&plain(text));
        }
    }
    words
}

/// One account a line, with the problem below.
pub fn accounts(views: &[AccountView]) -> String {
    if views.is_empty() {
        return "There is no account yet. Add one with: sotto-cli account add ADDRESS".to_owned();
    }
    views.iter().map(account).collect::<Vec<_>>().join("\n")
}

/// One account.
pub fn account(view: &AccountView) -> String {
    let mut words = format!("{}  {}", plain(&view.address), plain(&view.state_text));
    if !view.connection.is_empty() {
        words.push_str(&format!("  ({})", plain(&view.connection)));
    }
    if !view.status_text.is_empty() {
        words.push_str(&format!("\n    {}", plain(&view.status_text)));
    }
    if let Some(problem) = &view.problem {
        words.push_str(&format!(
            "\n    {}: {}",
            plain(&problem.title),
            plain(&problem.text)
        ));
    }
    words
}

/// The contact list by groups.
pub fn contacts(groups: &[ContactGroup]) -> String {
    let mut lines = Vec::new();
    for group in groups {
        let name = if group.name.is_empty() {
            "Contacts".to_owned()
        } else {
            plain(&group.name)
        };
        lines.push(format!("{name} ({}/{})", group.online, group.total));
        for contact in &group.contacts {
            let addresses: Vec<String> = contact
                .addresses
                .iter()
                .map(|a| match &a.ascii {
                    Some(ascii) => format!("{} [{}]", plain(&a.address), plain(ascii)),
                    None => plain(&a.address),
                })
                .collect();
            let mut line = format!(
                "  {}  <{}>  {}",
                plain(&contact.name),
                addresses.join(", "),
                contact.availability_text
            );
            if !contact.status_text.is_empty() {
                line.push_str(&format!("  “{}”", plain(&contact.status_text)));
            }
            if contact.unread > 0 {
                line.push_str(&format!("  {} unread", contact.unread));
            }
            if contact.blocked {
                line.push_str("  blocked");
            }
            lines.push(line);
        }
    }
    if lines.is_empty() {
        return "The contact list is empty.".to_owned();
    }
    lines.join("\n")
}

/// Requests to see my presence.
pub fn requests(views: &[SubscriptionView], zone: &TimeZone) -> String {
    if views.is_empty() {
        return "Nobody waits for an answer.".to_owned();
    }
    views
        .iter()
        .map(|view| {
            let mut line = format!("{}  {}", time(view.at, zone), plain(&view.address));
            if !view.nickname.is_empty() {
                line.push_str(&format!("  calls themselves “{}”", plain(&view.nickname)));
            }
            if !view.text.is_empty() {
                line.push_str(&format!("\n    {}", indented(&plain(&view.text))));
            }
            line
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// Blocked addresses.
pub fn blocked(views: &[BlockedView]) -> String {
    if views.is_empty() {
        return "Nobody is blocked.".to_owned();
    }
    views
        .iter()
        .map(|view| plain(&view.address))
        .collect::<Vec<_>>()
        .join("\n")
}

/// One message: time, state, author, text. Lines of the text after the first are indented, so that a
/// message cannot look like two.
pub fn message(view: &MessageView, zone: &TimeZone) -> String {
    let mut line = format!("[{}] {}  ", view.id.0, time(view.at, zone));
    let body = indented(&plain(&view.body));
    match view.kind {
        MessageKind::Text => line.push_str(&format!("{}: {body}", plain(&view.author))),
        MessageKind::Action => line.push_str(&format!("* {body}")),
        MessageKind::System => line.push_str(&format!("-- {body}")),
    }
    if view.edited {
        line.push_str("  (corrected)");
    }
    let label = private::label(view.privacy);
    for words in [label, view.privacy_text.as_str()] {
        if !words.is_empty() && view.kind != MessageKind::System {
            line.push_str(&format!("  ({})", plain(words)));
        }
    }
    if view.direction == Direction::Outgoing && !view.delivery_text.is_empty() {
        line.push_str(&format!("  [{}]", view.delivery_text));
    }
    if !view.failure.is_empty() {
        line.push_str(&format!("\n    {}", plain(&view.failure)));
    }
    line
}

/// Messages, the oldest first.
pub fn messages(views: &[MessageView], zone: &TimeZone) -> String {
    if views.is_empty() {
        return "No messages.".to_owned();
    }
    views
        .iter()
        .map(|view| message(view, zone))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Finds, the newest first.
pub fn found(hits: &[SearchHit], zone: &TimeZone) -> String {
    if hits.is_empty() {
        return "Nothing found.".to_owned();
    }
    hits.iter()
        .map(|hit| {
            format!(
                "{}  {}",
                plain(&hit.conversation_name),
                message(&hit.message, zone)
            )
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// What a person needs to judge a certificate.
pub fn certificate(view: &CertificateView, zone: &TimeZone) -> String {
    let summary = &view.summary;
    format!(
        "  for:     {}\n  names:   {}\n  by:      {}\n  valid:   {} to {}\n  SHA-256: {}",
        plain(&summary.subject),
        plain(&view.names.join(", ")),
        plain(&summary.issuer),
        time(summary.not_before, zone),
        time(summary.not_after, zone),
        grouped(&summary.sha256)
    )
}

/// The head of a registration form.
pub fn form(view: &FormView) -> String {
    let mut parts = Vec::new();
    for text in [&view.title, &view.instructions] {
        if !text.is_empty() {
            parts.push(plain(text));
        }
    }
    if let Some(page) = &view.page {
        parts.push(format!("This server also names a page: {}", plain(page)));
    }
    for field in &view.fields {
        if field.kind == FieldKind::Fixed {
            parts.push(plain(&field.value));
        }
    }
    parts.join("\n")
}

/// The prompt for one field of a form.
pub fn field(view: &FormField, kept: &str) -> String {
    let label = if view.label.is_empty() {
        &view.name
    } else {
        &view.label
    };
    let mut prompt = plain(label);
    for (value, label) in &view.options {
        prompt.push_str(&format!("\n  {}  {}", plain(value), plain(label)));
    }
    if view.kind == FieldKind::Boolean {
        prompt.push_str(" (true or false)");
    }
    if !view.required {
        prompt.push_str(" (may be left empty)");
    }
    if !kept.is_empty() {
        prompt.push_str(&format!(" [{}]", plain(kept)));
    }
    prompt.push(':');
    prompt
}

/// Hexadecimal digits in groups of four.
pub fn grouped(hex: &str) -> String {
    let digits: Vec<char> = hex.chars().filter(char::is_ascii_hexdigit).collect();
    digits
        .chunks(4)
        .map(|chunk| chunk.iter().collect::<String>())
        .collect::<Vec<_>>()
        .join(" ")
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n    ")
}

#[cfg(test)]
mod tests;
