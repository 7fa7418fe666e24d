use std::time::Instant;

use sotto_api::view::Direction;
use sotto_api::{ConversationId, MessageId, Timestamp};
use sotto_store::row::{LastMessage, PresenceRow};

use super::*;

fn row(contact: i64, name: &str, jid: &str) -> ContactListRow {
    ContactListRow {
        contact: ContactId(contact),
        name: name.into(),
        account: AccountId(1),
        jid: jid.into(),
        subscription: Subscription::Both,
        ask: false,
        groups: Vec::new(),
        presence: None,
        avatar: None,
        blocked: false,
        conversation: None,
        unread: 0,
        draft: String::new(),
        last: None,
    }
}

fn there(mut row: ContactListRow, availability: Availability) -> ContactListRow {
    row.presence = Some(PresenceRow {
        jid: row.jid.clone(),
        resource: "r".into(),
        availability,
        status: format!("status of {}", row.name),
        priority: 0,
        caps: None,
        at: Timestamp(0),
    });
    row
}

fn last(mut row: ContactListRow, text: &str, at: i64) -> ContactListRow {
    row.conversation = Some(ConversationId(row.contact.0));
    row.last = Some(LastMessage {
        id: MessageId(1),
        direction: Direction::Incoming,
        kind: MessageKind::Text,
        preview: text.into(),
        at: Timestamp(at),
        delivery: None,
    });
    row
}

fn names(groups: &[ContactGroup]) -> Vec<(&str, Vec<&str>)> {
    groups
        .iter()
        .map(|group| {
            let contacts = group.contacts.iter().map(|c| c.name.as_str()).collect();
            (group.name.as_str(), contacts)
        })
        .collect()
}

#[test]
fn the_available_come_first_then_the_last_spoken_to_then_by_name() {
    let rows = vec![
        row(1, "Zoe", "zoe@a.example"),
        row(2, "adam", "adam@a.example"),
        there(row(3, "Busy", "busy@a.example"), Availability::Busy),
        last(
            there(row(4, "Old", "old@a.example"), Availability::Available),
            "x",
            5,
        ),
        last(
            there(row(5, "New", "new@a.example"), Availability::Available),
            "x",
            9,
        ),
        there(row(6, "Ännchen", "aen@a.example"), Availability::Available),
    ];
    let groups = grouped(people(rows), "", true);
    assert_eq!(
        names(&groups),
        [("", vec!["New", "Old", "Ännchen", "Busy", "adam", "Zoe"])]
    );
    assert_eq!((groups[0].online, groups[0].total), (4, 6));
}

#[test]
fn groups_stand_by_name_and_those_without_one_last() {
    let mut both = row(1, "Leila", "leila@a.example");
    both.groups = vec!["Work".into(), "family".into()];
    let rows = vec![both, row(2, "Omar", "omar@a.example")];
    assert_eq!(
        names(&grouped(people(rows), "", true)),
        [
            ("family", vec!["Leila"]),
            ("Work", vec!["Leila"]),
            ("", vec!["Omar"])
        ]
    );
}

#[test]
fn the_offline_are_hidden_unless_something_waits_or_they_are_looked_for() {
    let mut unread = row(2, "Unread", "unread@a.example");
    unread.unread = 3;
    let mut draft = row(3, "Draft", "draft@a.example");
    draft.draft = "not yet".into();
    let rows = vec![
        row(1, "Gone", "gone@a.example"),
        unread,
        draft,
        there(row(4, "Here", "here@a.example"), Availability::Away),
    ];
    let hidden = grouped(people(rows.clone()), "", false);
    assert_eq!(names(&hidden), [("", vec!["Here", "Draft", "Unread"])]);
    assert_eq!(hidden[0].total, 4);
    let found = grouped(people(rows), "gone", false);
    assert_eq!(names(&found), [("", vec!["Gone"])]);
}

#[test]
fn a_filter_finds_names_and_addresses_in_any_script_without_case_or_marks() {
    let rows = vec![
        row(1, "Élodie Grün", "eg@a.example"),
        row(2, "ليلى حدّاد", "lh@b.example"),
        row(3, "Дмитрий", "d@c.example"),
        row(4, "", "maryam.t@d.example"),
    ];
    for (filter, found) in [
        ("elodie", "Élodie Grün"),
        ("GRUN elo", "Élodie Grün"),
        ("حداد", "ليلى حدّاد"),
        ("ДМИТРИЙ", "Дмитрий"),
        ("maryam", "maryam.t@d.example"),
        ("d.example", "maryam.t@d.example"),
    ] {
        let groups = grouped(people(rows.clone()), filter, true);
        assert_eq!(names(&groups), [("", vec![found])], "{filter}");
    }
    assert!(grouped(people(rows), "nobody", true).is_empty());
}

#[test]
fn a_row_says_what_it_shows() {
    let mut waiting = row(1, "Omar", "omar@a.example");
    waiting.subscription = Subscription::None;
    waiting.ask = true;
    let mut written = last(
        there(row(2, "Leila", "leila@a.example"), Availability::Available),
        "Then the small\ncafé",
        1,
    );
    written.unread = 2;
    let views = people(vec![waiting, written]);
    assert_eq!(views[0].preview, "Has not answered your request yet");
    assert_eq!(views[0].availability, Availability::Unknown);
    assert_eq!(views[1].preview, "Then the small café");
    assert_eq!(views[1].status_text, "status of Leila");
    assert_eq!(
        views[1].spoken,
        "Leila, available, 2 unread, Then the small café"
    );
    assert_eq!(views[1].initials, "L");
}

#[test]
fn addresses_of_one_person_are_one_row_with_the_best_presence() {
    let rows = vec![
        row(1, "Leila", "leila@a.example"),
        last(
            there(row(1, "Leila", "leila@b.example"), Availability::Away),
            "hi",
            3,
        ),
        row(2, "Omar", "omar@a.example"),
    ];
    let views = people(rows);
    assert_eq!(views.len(), 2);
    assert_eq!(views[0].availability, Availability::Away);
    assert_eq!(views[0].addresses[0].address, "leila@b.example");
    assert_eq!(views[0].preview, "hi");
}

#[test]
fn s_ui_05_an_address_in_look_alike_letters_shows_its_ascii_form() {
    let views = people(vec![row(1, "Sara", "sаra@riverside.example")]);
    assert_eq!(
        views[0].addresses[0].ascii.as_deref(),
        Some("xn--sra-6cd@riverside.example")
    );
}

#[test]
fn s_ui_06_a_name_from_the_roster_is_cleaned() {
    let views = people(vec![row(1, "Sa\u{202e}ra\n\u{7}", "sara@a.example")]);
    assert_eq!(views[0].name, "Sara");
}

#[test]
fn five_thousand_contacts_are_listed_and_filtered_quickly() {
    let rows: Vec<ContactListRow> = (0..5_000)
        .map(|n| {
            let mut row = row(n, &format!("Näme {n}"), &format!("user{n}@a.example"));
            row.groups = vec![format!("Group {}", n % 20)];
            if n % 3 == 0 {
                there(row, Availability::Available)
            } else {
                row
            }
        })
        .collect();
    let start = Instant::now();
    let groups = grouped(people(rows.clone()), "", true);
    assert_eq!(
        groups.iter().map(|g| g.contacts.len()).sum::<usize>(),
        5_000
    );
    let found = grouped(people(rows), "name 4999", true);
    assert_eq!(found.len(), 1);
    // Generous for a debug build on a busy machine; about 20 ms each in a release build.
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}
