//! Private conversations, keys and policies as text for a terminal.

use jiff::tz::TimeZone;
use sotto_api::view::{
    ConversationView, OwnKeyView, PeerKeyView, PoliciesView, Policy, Privacy, VerificationState,
};

use super::{plain, time};

/// How a conversation stands, and between which keys.
pub fn conversation(view: &ConversationView) -> String {
    let private = &view.private;
    let mut lines = vec![
        format!(
            "{}  <{}>  {}",
            plain(&view.contact.name),
            plain(&view.address),
            view.privacy.label
        ),
        format!(
            "  may leave:  {}",
            words_or(&private.policy_text, policy(private.policy))
        ),
    ];
    if !private.code.is_empty() {
        lines.push(format!("  their code: {}", private.code));
    }
    if !private.own_code.is_empty() {
        lines.push(format!("  own code:   {}", private.own_code));
    }
    for device in &private.devices {
        let mark = if device.chosen { '*' } else { ' ' };
        lines.push(format!(
            "  {mark} device {}  {}",
            plain(&device.id),
            plain(&device.name)
        ));
    }
    lines.extend(happening(view).into_iter().map(|line| format!("  {line}")));
    lines.join("\n")
}

/// What waits for the person: a verification under way, and what stops the sending.
pub fn happening(view: &ConversationView) -> Vec<String> {
    let mut lines = Vec::new();
    let verification = &view.private.verification;
    if verification.state != VerificationState::None {
        lines.push(plain(&verification.text));
        if !verification.question.is_empty() {
            lines.push(format!("They ask: {}", plain(&verification.question)));
        }
    }
    if let Some(alert) = &view.private.alert {
        lines.push(format!("{}: {}", plain(&alert.title), plain(&alert.text)));
    }
    lines
}

/// Who could read a message; empty where nothing but the usual is to be said.
pub fn label(privacy: Privacy) -> &'static str {
    match privacy {
        Privacy::Verified => "private, verified",
        Privacy::Encrypted => "private, not verified",
        Privacy::ServerOnly | Privacy::None => "",
    }
}

/// The own keys, one a line.
pub fn own_keys(keys: &[OwnKeyView]) -> String {
    if keys.is_empty() {
        return "There is no account yet, so there is no key.".to_owned();
    }
    let line = |key: &OwnKeyView| {
        let code = match (key.making, key.code.is_empty()) {
            (true, _) => "is being made",
            (false, true) => "none yet; it is made when it is first needed",
            (false, false) => &key.code,
        };
        format!("{}  {code}", plain(&key.address))
    };
    keys.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Keys of others, two lines each.
pub fn peer_keys(keys: &[PeerKeyView], zone: &TimeZone) -> String {
    if keys.is_empty() {
        return "No keys of others yet.".to_owned();
    }
    let entry = |key: &PeerKeyView| {
        let used = if key.in_use { ", in use now" } else { "" };
        format!(
            "[{}] {}  <{}>  {}{used}\n    {}\n    by {}, first seen {}, last used {}",
            key.id.0,
            plain(&key.name),
            plain(&key.address),
            plain(&key.trust_text),
            key.code,
            plain(&key.account_address),
            time(key.first_seen, zone),
            time(key.last_seen, zone)
        )
    };
    keys.iter().map(entry).collect::<Vec<_>>().join("\n")
}

/// All policies.
pub fn policies(view: &PoliciesView) -> String {
    let mut lines = vec![format!("Everyone  {}", policy(view.global))];
    for own in &view.own {
        lines.push(format!(
            "{}  {}",
            plain(&own.name),
            words_or(&own.policy_text, policy(own.policy))
        ));
    }
    if !view.uncovered.is_empty() {
        lines.push(plain(&view.uncovered));
    }
    lines.join("\n")
}

fn policy(policy: Policy) -> &'static str {
    match policy {
        Policy::Off => "off",
        Policy::Preferred => "when possible",
        Policy::Required => "required",
    }
}

fn words_or<'a>(words: &'a str, otherwise: &'a str) -> &'a str {
    if words.is_empty() { otherwise } else { words }
}
