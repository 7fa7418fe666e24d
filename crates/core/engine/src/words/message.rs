use sotto_api::view::{Delivery, MessageKind, Privacy, PrivacyView};

use crate::confusable::Suspicion;
use crate::text::isolate;

/// How far an own message got.
pub fn delivery(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Waiting => "Waiting",
        Delivery::Sent => "Sent",
        Delivery::Delivered => "Delivered",
        Delivery::Seen => "Seen",
        Delivery::Failed => "Not sent",
    }
}

/// Why a message did not arrive, by the condition of the error that came back (RFC 6120 §8.3.3).
///
/// `server` is the domain that answered, `name` the person it was for.
pub fn failure(condition: &str, name: &str, server: &str) -> String {
    let name = isolate(name);
    let server = isolate(server);
    match condition {
        "item-not-found" | "recipient-unavailable" | "gone" => {
            format!(
                "{server} does not know this address of {name}. Check it, or ask {name} for another."
            )
        }
        "remote-server-not-found" => {
            format!("There is no server {server}. Check the part of the address after the @.")
        }
        "remote-server-timeout" => {
            format!("{server} does not answer now. Try again later.")
        }
        "service-unavailable" => {
            format!(
                "{server} did not deliver it: {name} may be away without a mailbox there, or not accept it."
            )
        }
        "forbidden"
        | "not-allowed"
        | "not-authorized"
        | "registration-required"
        | "subscription-required" => format!("{server} does not let you write to {name}."),
        "not-acceptable" | "policy-violation" => format!("{server} did not accept this message."),
        "resource-constraint" => {
            format!("{server} has no room for it now. Try again later, or make it shorter.")
        }
        _ => format!("{server} did not deliver it."),
    }
}

/// The line of a conversation whose account is offline: messages wait.
pub fn notice_offline(address: &str) -> String {
    format!(
        "{} is not signed in. What you write waits and is sent later.",
        isolate(address)
    )
}

/// The line of a conversation whose account is on its way.
pub fn notice_waiting() -> &'static str {
    "No connection at the moment. What you write waits and is sent by itself."
}

/// *Leila is writing…*
pub fn typing(name: &str) -> String {
    format!("{} is writing…", isolate(name))
}

/// The privacy label (look.md §4). `name` is the other person, as the list calls them.
pub fn privacy(state: Privacy, name: &str) -> PrivacyView {
    let name = isolate(name);
    let (label, below) = match state {
        Privacy::Verified => (
            "End-to-end, verified",
            format!("Only you and {name} can read this."),
        ),
        Privacy::Encrypted => (
            "End-to-end, not verified",
            format!("Encrypted. You have not checked that it is {name}."),
        ),
        Privacy::ServerOnly => (
            "To the server only",
            "The servers in between can read this.".into(),
        ),
        Privacy::None => (
            "Not encrypted",
            "Anyone along the way can read this.".into(),
        ),
    };
    let mut spoken_label = label.to_owned();
    if let Some(first) = spoken_label.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    PrivacyView {
        state,
        label: label.into(),
        spoken: format!("Privacy: {spoken_label}. {below} Opens details"),
        below,
    }
}

/// Who speaks in an own message, where it is read out.
pub const YOU: &str = "You";

/// A message as a screen reader says it: who, text, state, time.
///
/// `own` carries the delivery of an own message; `edited` and `failure` are said where they apply.
pub fn spoken_message(
    author: &str,
    kind: MessageKind,
    body: &str,
    own: Option<Delivery>,
    edited: bool,
    time: &str,
) -> String {
    let mut spoken = match kind {
        MessageKind::Text => format!("{}: {}", isolate(author), body),
        // The body names its author already.
        MessageKind::Action | MessageKind::System => body.to_owned(),
    };
    if edited {
        spoken.push_str(", edited");
    }
    if let Some(state) = own {
        spoken.push_str(", ");
        spoken.push_str(&delivery(state).to_lowercase());
    }
    if !time.is_empty() {
        spoken.push_str(", ");
        spoken.push_str(time);
    }
    spoken
}

/// A link whose name can be taken for another one.
pub fn link_lookalike(ascii: &str, suspicion: Suspicion) -> String {
    match suspicion {
        Suspicion::MixedScripts => {
            format!(
                "This name mixes letters of several alphabets that look alike. It truly is {ascii}."
            )
        }
        Suspicion::LooksLatin => {
            format!(
                "This name is written in letters that only look like others. It truly is {ascii}."
            )
        }
    }
}

/// A link with something before an @ that can be taken for the place it goes to.
pub fn link_userinfo(host: &str) -> String {
    format!("What stands before the @ is a user name, not a place. This goes to {host}.")
}
