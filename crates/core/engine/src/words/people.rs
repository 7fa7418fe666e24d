use sotto_api::view::Availability;

use crate::text::isolate;

/// The word for a presence.
pub fn availability(availability: Availability) -> &'static str {
    match availability {
        Availability::Chat => "Free to talk",
        Availability::Available => "Available",
        Availability::Away => "Away",
        Availability::ExtendedAway => "Away for long",
        Availability::Busy => "Busy",
        Availability::Offline => "Offline",
        Availability::Unknown => "Not known",
    }
}

/// The second line of a conversation's header: presence in words and address.
pub fn subtitle(presence: Availability, address: &str) -> String {
    format!("{} · {}", availability(presence), isolate(address))
}

/// What the row of a person says while my request to see their presence waits.
pub fn preview_request() -> &'static str {
    "Has not answered your request yet"
}

/// The writer of a message whose name is not known.
pub fn unknown_author() -> &'static str {
    "Somebody"
}

/// A row of the contact list as a screen reader says it (look.md §8).
pub fn spoken_contact(
    name: &str,
    presence: Availability,
    status: &str,
    blocked: bool,
    unread: u32,
    preview: &str,
    draft: bool,
) -> String {
    let mut parts = vec![isolate(name), availability(presence).to_lowercase()];
    if blocked {
        parts.push("blocked".into());
    }
    if unread > 0 {
        parts.push(format!("{unread} unread"));
    }
    if preview.is_empty() {
        if !status.is_empty() {
            parts.push(isolate(status));
        }
    } else if draft {
        parts.push(format!("draft: {}", isolate(preview)));
    } else {
        parts.push(isolate(preview));
    }
    parts.join(", ")
}
