//! Pidgin's folder, of several versions.

mod common;

use common::{copy, found, look, sample, shown, with};
use sotto_import::{Problem, Program, ScanError};

#[test]
fn accounts_come_with_their_passwords_and_servers() {
    let found = found(Program::Pidgin, &sample("pidgin-2.14"), None);
    let [account] = found.accounts.as_slice() else {
        panic!("{:?}", found.accounts)
    };
    assert_eq!(account.address, "sara@example.org");
    let password = account.password.as_ref().expect("it is there");
    assert_eq!(password.expose(), "p&ss <مرحبا>");
    assert_eq!(account.server, Some(("talk.example.org".into(), 5224)));
    assert!(found.problems.contains(&Problem::OtherNetwork {
        account: "sara@irc.example.org".into(),
        network: "irc".into()
    }));
    assert_eq!(found.settings_file, None);
}

#[test]
fn messages_of_both_forms_come_with_their_side_time_and_words() {
    let found = found(Program::Pidgin, &sample("pidgin-2.14"), None);
    assert_eq!(
        shown(with(&found, "leila@example.org")),
        [
            "1395408742 > Are you there?",
            "1395408750 < نعم 😀 1 < 2 &amp; so on",
            "1395408840 < /me waves",
            "1395408900 > I am away",
            "1395442740 < first line\nsecond line",
            "1395442860 < after midnight",
            "1395561601 > good morning",
            "1395561602 < صباح الخير\nsecond line\nthird: with a colon",
            "1395561603 < away",
            "1395561604 < /me smiles",
            "1395615599 > late",
            "1395615610 > later",
        ]
    );
    assert_eq!(found.messages, 12);
}

#[test]
fn rooms_and_other_networks_are_counted_and_not_taken() {
    let found = found(Program::Pidgin, &sample("pidgin-2.14"), None);
    assert_eq!(found.conversations.len(), 1);
    assert!(found.problems.contains(&Problem::Rooms { count: 1 }));
    assert!(
        found
            .problems
            .contains(&Problem::OtherConversations { count: 1 })
    );
}

#[test]
fn keys_codes_and_tags_are_found() {
    let found = found(Program::Pidgin, &sample("pidgin-2.14"), None);
    assert_eq!(found.keys.len(), 1);
    assert_eq!(found.trust.len(), 2);
    assert_eq!(
        found.trust.iter().filter(|t| !t.trust.is_empty()).count(),
        1
    );
    assert_eq!(found.tags.len(), 1);
    assert_eq!(found.key_files.len(), 3);
}

#[test]
fn a_broken_key_file_is_told_and_kept() {
    let (_home, root) = copy("pidgin-2.14");
    std::fs::write(root.join("otr.private_key"), "(privkeys (account").expect("it writes");
    let found = found(Program::Pidgin, &root, None);
    assert!(found.keys.is_empty());
    assert_eq!(found.key_files.len(), 2);
    assert!(found.problems.contains(&Problem::KeyUnusable {
        account: "otr.private_key".into()
    }));
}

#[test]
fn words_in_an_unknown_form_are_not_taken_for_the_programs_own() {
    let unknown = [
        "<font size=\"2\">(02:40:00 PM)</font><b> Leila:</b></font> by another kind of message<br/>",
        "<font size=\"2\">(02:40:00 PM)</font> raw words<br/>",
    ];
    for line in unknown {
        let (_home, root) = copy("pidgin-2.14");
        let log = root
            .join("logs/jabber/sara@example.org/leila@example.org/2014-03-21.143210+0100CET.html");
        let text = std::fs::read_to_string(&log).expect("it reads");
        std::fs::write(
            &log,
            text.replace("</body></html>\n", &format!("{line}\n</body></html>\n")),
        )
        .expect("it writes");
        let found = found(Program::Pidgin, &root, None);
        let mut reader = with(&found, "leila@example.org").open();
        while reader.next_message().is_some() {}
        let path = log.file_name();
        assert!(
            reader
                .take_whole()
                .iter()
                .all(|file| file.path().file_name() != path),
            "{line} would have been shredded"
        );
    }
}

#[test]
fn logs_without_a_zone_are_in_the_one_that_is_given() {
    let found = found(Program::Pidgin, &sample("gaim-2.0"), None);
    assert_eq!(
        shown(with(&found, "leila@example.org")),
        ["1104635050 > hello", "1104635052 < hello yourself"]
    );
    assert!(found.settings_file.is_some());
}

#[test]
fn a_folder_of_something_else_is_refused() {
    let home = tempfile::tempdir().expect("a folder");
    assert!(matches!(
        look(Program::Pidgin, home.path(), None),
        Err(ScanError::NotThisProgram)
    ));
}
