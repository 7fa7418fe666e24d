//! Jitsi's folder, of several versions.

mod common;

use common::{copy, found, look, messages, sample, shown, with};
use sotto_import::{Problem, Program, ScanError};

const MASTER: Option<&str> = Some("swordfish");

#[test]
fn accounts_and_passwords_come_with_the_master_password() {
    let found = found(Program::Jitsi, &sample("jitsi-2.8"), MASTER);
    let [account] = found.accounts.as_slice() else {
        panic!("{:?}", found.accounts)
    };
    assert_eq!(account.address, "sara@example.org");
    let password = account.password.as_ref().expect("it decrypts");
    assert_eq!(password.expose(), "pässwörd مرحبا");
    assert_eq!(account.server, Some(("xmpp.example.org".into(), 5223)));
    assert!(!found.needs_master);
    assert!(found.problems.contains(&Problem::OtherNetwork {
        account: "sara@sip.example.org".into(),
        network: "SIP".into()
    }));
    // Another account stands in it, and would be lost.
    assert_eq!(found.settings_file, None);
}

#[test]
fn without_the_master_password_everything_else_is_found() {
    let found = found(Program::Jitsi, &sample("jitsi-2.8"), None);
    assert!(found.needs_master);
    assert_eq!(found.accounts.len(), 1);
    assert!(found.accounts.iter().all(|a| a.password.is_none()));
    assert_eq!(found.messages, 10);
}

#[test]
fn a_wrong_master_password_is_told() {
    for wrong in ["", "sword", "true"] {
        let refused = look(Program::Jitsi, &sample("jitsi-2.8"), Some(wrong));
        assert!(matches!(refused, Err(ScanError::WrongMaster)), "{wrong}");
    }
}

#[test]
fn messages_come_with_their_side_time_and_words() {
    let found = found(Program::Jitsi, &sample("jitsi-2.8"), MASTER);
    assert_eq!(
        shown(with(&found, "leila@example.org")),
        [
            "1395408742 > Are you there?",
            "1395408750 < نعم، أنا هنا 😀 1 < 2 & so on",
            "1395408750 < ok",
            "1395408750 < ok",
            "1395408780 < Bold and a link (https://example.org/x)\nsecond line",
            "1395500400 > /me waves",
            "1395500405 < sent by SMS",
        ]
    );
    assert_eq!(
        shown(with(&found, "نور@example.org")),
        ["1400000000 < صباح الخير"]
    );
    assert!(
        found
            .conversations
            .iter()
            .all(|conversation| conversation.account == "sara@example.org")
    );
}

#[test]
fn a_damaged_file_gives_what_can_be_read_and_is_not_called_whole() {
    let found = found(Program::Jitsi, &sample("jitsi-2.8"), MASTER);
    let damaged = with(&found, "omar@example.org");
    assert_eq!(
        shown(damaged),
        ["1400000000 < before the cut", "1400000120 > after the cut"]
    );
    let mut reader = damaged.open();
    while reader.next_message().is_some() {}
    assert_eq!(reader.broken(), 3);
    assert_eq!(reader.take_whole(), []);
    assert!(
        found
            .problems
            .contains(&Problem::RecordsUnreadable { count: 3 })
    );
}

#[test]
fn a_whole_file_is_called_so_when_its_last_message_was_handed_out() {
    let found = found(Program::Jitsi, &sample("jitsi-2.8"), MASTER);
    let mut reader = with(&found, "leila@example.org").open();
    for _ in 0..5 {
        reader.next_message().expect("a message");
    }
    assert_eq!(reader.take_whole().len(), 0);
    reader.next_message().expect("a message of the next file");
    assert_eq!(reader.take_whole().len(), 1);
    while reader.next_message().is_some() {}
    assert_eq!(reader.take_whole().len(), 1);
}

#[test]
fn rooms_and_other_networks_are_counted_and_not_taken() {
    let found = found(Program::Jitsi, &sample("jitsi-2.8"), MASTER);
    assert_eq!(found.conversations.len(), 3);
    assert!(found.problems.contains(&Problem::Rooms { count: 2 }));
    assert!(
        found
            .problems
            .contains(&Problem::OtherConversations { count: 1 })
    );
}

#[test]
fn calls_are_listed_with_their_participants() {
    let found = found(Program::Jitsi, &sample("jitsi-2.8"), MASTER);
    assert_eq!(found.calls.count, 2);
    let mut reader = found.calls.open();
    let calls: Vec<_> = std::iter::from_fn(|| reader.next_call()).collect();
    assert_eq!(reader.take_whole().len(), 1);
    let [first, second] = calls.as_slice() else {
        panic!("{calls:?}")
    };
    assert_eq!(first.address.as_deref(), Some("sara@example.org"));
    assert!(first.outgoing && first.answered);
    assert_eq!(
        (first.ended - first.started, first.reason),
        (600_000, Some(200))
    );
    assert_eq!(second.address, None);
    assert!(!second.outgoing && !second.answered);
    assert_eq!(second.participants.len(), 2);
    assert_ne!(first.key, second.key);
}

#[test]
fn own_keys_and_verified_codes_are_found() {
    let found = found(Program::Jitsi, &sample("jitsi-2.8"), MASTER);
    let [key] = found.keys.as_slice() else {
        panic!("{:?}", found.keys)
    };
    assert_eq!(key.account, "sara@example.org");
    let [trust] = found.trust.as_slice() else {
        panic!("{:?}", found.trust)
    };
    assert_eq!(trust.peer, "leila@example.org");
    assert_eq!(trust.account, "sara@example.org");
    assert_eq!(trust.trust, "verified");
}

#[test]
fn a_code_of_two_addresses_that_look_alike_is_nobody_s() {
    let (_home, root) = copy("jitsi-2.8");
    let list = root.join("contactlist.xml");
    let text = std::fs::read_to_string(&list).expect("it reads").replace(
        "</contactlist>",
        "<contact account-id=\"Jabber:sara@example.org@example.org\" address=\"leila.example@org\"/></contactlist>",
    );
    std::fs::write(&list, text).expect("it writes");
    let found = found(Program::Jitsi, &root, MASTER);
    assert!(found.trust.is_empty());
    assert!(found.problems.contains(&Problem::CodesUnclear { count: 1 }));
}

#[test]
fn the_oldest_form_of_settings_and_history_is_read() {
    let found = found(Program::Jitsi, &sample("sip-communicator-1.0"), None);
    let password = found.accounts.first().and_then(|a| a.password.as_ref());
    assert_eq!(password.map(|p| p.expose()), Some("old secret"));
    assert_eq!(
        shown(with(&found, "leila@example.org")),
        ["1200000000 < plain & old", "1200000060 > second"]
    );
    assert!(found.settings_file.is_some());
}

#[test]
fn every_message_has_a_key_of_its_own_that_stays() {
    let found = found(Program::Jitsi, &sample("jitsi-2.8"), MASTER);
    let keys = || -> Vec<[u8; 16]> {
        found
            .conversations
            .iter()
            .flat_map(messages)
            .map(|message| message.key)
            .collect()
    };
    let mut once = keys();
    assert_eq!(once, keys());
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), 10);
}

#[test]
fn a_folder_of_something_else_is_refused() {
    let home = tempfile::tempdir().expect("a folder");
    assert!(matches!(
        look(Program::Jitsi, home.path(), None),
        Err(ScanError::NotThisProgram)
    ));
    assert!(matches!(
        look(Program::Jitsi, &home.path().join("none"), None),
        Err(ScanError::NoFolder)
    ));
}

#[test]
fn a_debug_view_shows_no_password_and_no_words() {
    let found = found(Program::Jitsi, &sample("jitsi-2.8"), MASTER);
    let all = format!("{found:?}{:?}", messages(with(&found, "leila@example.org")));
    assert!(!all.contains("pässwörd") && !all.contains("Are you there"));
}
