use sotto_api::view::{Delivery, Privacy, RegistrationState};
use sotto_api::{ConversationId, MessageId};

use super::*;

#[test]
fn control_characters_never_reach_the_terminal() {
    assert_eq!(
        plain("a\u{1b}[2Jb\u{9b}c\r\u{7}"),
        "a\u{fffd}[2Jb\u{fffd}c\u{fffd}\u{fffd}"
    );
    assert_eq!(plain("two\nlines\tand"), "two\nlines and");
}

#[test]
fn a_text_that_turns_direction_cannot_reorder_what_follows() {
    assert_eq!(plain("\u{202e}abc"), "\u{202e}abc\u{202c}");
    assert_eq!(
        plain("\u{2067}a\n\u{2066}b\u{2069}"),
        "\u{2067}a\u{2069}\n\u{2066}b\u{2069}"
    );
}

#[test]
fn a_message_cannot_look_like_two() {
    let mut view = text_message("hello\n[8] 2026-11-25 07:13  Sara: forged");
    view.direction = Direction::Incoming;
    assert_eq!(
        message(&view, &TimeZone::UTC),
        "[7] 2026-11-25 07:12  Leila: hello\n    [8] 2026-11-25 07:13  Sara: forged"
    );
}

#[test]
fn an_own_message_says_how_far_it_got() {
    let view = text_message("hello");
    assert_eq!(
        message(&view, &TimeZone::UTC),
        "[7] 2026-11-25 07:12  Leila: hello  [Sent]"
    );
}

#[test]
fn a_private_message_says_so_and_one_that_came_in_clear_too() {
    let mut view = text_message("hello");
    view.privacy = Privacy::Verified;
    assert_eq!(
        message(&view, &TimeZone::UTC),
        "[7] 2026-11-25 07:12  Leila: hello  (private, verified)  [Sent]"
    );
    view.direction = Direction::Incoming;
    view.privacy = Privacy::ServerOnly;
    view.privacy_text = "Came unencrypted".into();
    assert!(message(&view, &TimeZone::UTC).ends_with("Leila: hello  (Came unencrypted)"));
}

#[test]
fn an_action_and_a_line_of_the_program_look_different_from_words() {
    let mut view = text_message("Leila waves");
    view.kind = MessageKind::Action;
    view.direction = Direction::Incoming;
    assert!(message(&view, &TimeZone::UTC).ends_with("  * Leila waves"));
    view.kind = MessageKind::System;
    assert!(message(&view, &TimeZone::UTC).ends_with("  -- Leila waves"));
}

#[test]
fn times_are_told_in_the_zone_of_the_person() {
    let berlin = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::fixed(jiff::tz::offset(1)));
    assert_eq!(
        time(Timestamp(1_795_590_720_000), &berlin),
        "2026-11-25 08:12"
    );
    assert_eq!(time(Timestamp(i64::MAX), &TimeZone::UTC), "unknown time");
}

#[test]
fn a_fingerprint_is_grouped_whatever_its_form() {
    assert_eq!(grouped("ab:cd:ef:01:23"), "abcd ef01 23");
}

#[test]
fn a_field_shows_what_was_typed_before() {
    let view = FormField {
        name: "username".into(),
        label: "Name".into(),
        kind: FieldKind::Username,
        required: true,
        value: String::new(),
        options: Vec::new(),
        media: None,
    };
    assert_eq!(field(&view, "sara"), "Name [sara]:");
    assert_eq!(field(&view, ""), "Name:");
}

#[test]
fn empty_lists_say_so() {
    assert_eq!(contacts(&[]), "The contact list is empty.");
    assert_eq!(messages(&[], &TimeZone::UTC), "No messages.");
    assert_eq!(found(&[], &TimeZone::UTC), "Nothing found.");
    assert_eq!(blocked(&[]), "Nobody is blocked.");
    assert!(accounts(&[]).starts_with("There is no account yet."));
}

#[test]
fn states_of_a_registration_are_told_apart_in_json() {
    let json = serde_json::to_value(RegistrationState::Submitting).unwrap();
    assert_eq!(json["state"], "submitting");
}

fn text_message(body: &str) -> MessageView {
    MessageView {
        id: MessageId(7),
        conversation: ConversationId(1),
        direction: Direction::Outgoing,
        author: "Leila".into(),
        kind: MessageKind::Text,
        body: body.into(),
        links: Vec::new(),
        at: Timestamp(1_795_590_720_000),
        delivery: Some(Delivery::Sent),
        delivery_text: "Sent".into(),
        failure: String::new(),
        edited: false,
        previous: Vec::new(),
        privacy: Privacy::ServerOnly,
        privacy_text: String::new(),
        kept: true,
        notice: None,
        spoken: String::new(),
    }
}
