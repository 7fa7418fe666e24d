//! Records for finding faults: only while they are asked for, without credentials, and never in the way.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sotto_api::view::{Policy, PolicyScope, Record, Recording, RecordsView, Settings};
use sotto_api::{ApiError, ErrorKind, Event, Protection, Reply, Request, Secret};
use tempfile::TempDir;

use super::harness::{PASSWORD, Who, World};
use super::private::{ALICE, BOB};

const PASSPHRASE: &str = "six green bottles";

struct Desk {
    world: World,
    alice: Who,
    bob: Who,
    home: TempDir,
}

#[test]
fn s_store_16_nothing_is_recorded_unless_it_is_asked_for() {
    let mut desk = Desk::new();
    desk.world.say(desk.alice, BOB, "canary");
    desk.world.settle();
    let view = desk.view();
    assert_eq!(view.stanzas, Recording::Off);
    assert_eq!(
        (view.stanza_files, view.log, view.warning.as_str()),
        (0, false, "")
    );
    assert!(!desk.records().exists());
    assert!(desk.world.log(desk.alice).is_none());
    let refused = desk.export(Record::Stanzas).expect_err("there is nothing");
    assert_eq!(refused.kind, ErrorKind::NotFound);
}

#[test]
fn s_store_16_a_sealed_record_holds_the_whole_sign_in_without_credentials() {
    let mut desk = Desk::new();
    desk.world.take_events(desk.alice);
    desk.set(|settings| settings.record_stanzas = Recording::Sealed);
    assert!(
        desk.world
            .take_events(desk.alice)
            .contains(&Event::RecordsChanged)
    );
    // In the middle of a stream, at once.
    desk.world.say(desk.bob, ALICE, "canary-one");
    desk.world.settle();
    // And from the first byte of the next one.
    desk.world.cut(desk.alice);
    desk.world.servers[0].expire_sessions();
    desk.world.pass(Duration::from_secs(30));
    desk.world.say(desk.alice, BOB, "canary-two");
    desk.world.settle();
    let view = desk.view();
    assert_eq!((view.stanzas, view.stanza_files), (Recording::Sealed, 1));
    assert!(view.warning.contains("sealed"), "{}", view.warning);
    for file in std::fs::read_dir(desk.records())
        .expect("a folder")
        .flatten()
    {
        let bytes = std::fs::read(file.path()).expect("it reads");
        assert!(!contains(&bytes, "canary") && !contains(&bytes, "stream:stream"));
    }
    let capture = desk.export(Record::Stanzas).expect("it comes out");
    for part in [
        "canary-one",
        "canary-two",
        "<stream:stream",
        "mechanism='SCRAM",
        ">[blanked]</auth>",
        ">[blanked]</response>",
    ] {
        assert!(contains(&capture, part), "{part}");
    }
    // Of the sign-in: what the client said first, and its proof.
    for part in ["biws", "bixh", "LHA9", ",p=", PASSWORD] {
        assert!(!contains(&capture, part), "{part}");
    }
    let again = desk.export_to(Record::Stanzas, &desk.home.path().join("out-1"));
    assert_eq!(again.expect_err("it is there").kind, ErrorKind::Exists);
}

#[test]
fn s_store_16_switching_off_stops_at_once_and_removing_leaves_nothing() {
    let mut desk = Desk::new();
    desk.set(|settings| settings.record_stanzas = Recording::Plain);
    desk.world.say(desk.alice, BOB, "canary-one");
    desk.world.settle();
    let file = desk.records().join("stanzas-1.pcapng");
    assert!(contains(
        &std::fs::read(&file).expect("it reads"),
        "canary-one"
    ));
    let view = desk.view();
    assert!(view.warning.contains("plain"), "{}", view.warning);
    assert!(view.warning.contains("records"), "{}", view.warning);
    desk.set(|settings| settings.record_stanzas = Recording::Off);
    let size = desk.view().stanza_bytes;
    desk.world.say(desk.alice, BOB, "canary-two");
    desk.world.say(desk.bob, ALICE, "canary-three");
    desk.world.settle();
    let view = desk.view();
    assert_eq!((view.stanza_bytes, view.stanzas), (size, Recording::Off));
    assert_eq!(view.warning, "");

    desk.set(|settings| settings.record_stanzas = Recording::Plain);
    desk.world.say(desk.alice, BOB, "canary-four");
    desk.world.settle();
    assert_eq!(desk.view().stanza_files, 2);
    desk.ask(Request::RecordRemove {
        record: Record::Stanzas,
    });
    assert_eq!(desk.view().stanza_files, 0);
    // It goes on in a new file.
    desk.world.say(desk.alice, BOB, "canary-five");
    desk.world.settle();
    let files = std::fs::read_dir(desk.records())
        .expect("a folder")
        .flatten();
    let bytes: Vec<u8> = files
        .flat_map(|file| std::fs::read(file.path()).expect("it reads"))
        .collect();
    assert!(contains(&bytes, "canary-five") && !contains(&bytes, "canary-four"));
}

#[test]
fn records_are_bounded() {
    let mut desk = Desk::new();
    desk.set(|settings| {
        settings.record_stanzas = Recording::Sealed;
        settings.record_files = 2;
        settings.record_size = 100;
    });
    for _ in 0..40 {
        desk.world.say(desk.alice, BOB, &"long ".repeat(2_000));
        desk.world.settle();
    }
    let view = desk.view();
    assert_eq!(view.stanza_files, 2);
    assert!(view.stanza_bytes <= 200_000, "{}", view.stanza_bytes);
}

#[test]
fn s_store_08_a_locked_profile_records_nothing_and_shows_no_record() {
    let mut desk = Desk::new();
    desk.set(|settings| {
        settings.record_stanzas = Recording::Sealed;
        settings.record_log = true;
    });
    desk.world.say(desk.alice, BOB, "canary-one");
    desk.world.settle();
    let log = desk.world.log(desk.alice).expect("a log").clone();
    log.append(b"before\n");
    desk.ask(Request::ProfileLock {});
    assert!(desk.world.log(desk.alice).is_none());
    log.append(b"while locked\n");
    for request in [
        Request::RecordStatus {},
        Request::RecordRemove {
            record: Record::Log,
        },
        Request::RecordExport {
            record: Record::Log,
            file: "/tmp/none".into(),
        },
    ] {
        let refused = desk
            .world
            .try_ask(desk.alice, request)
            .expect_err("it is locked");
        assert_eq!(refused.kind, ErrorKind::Locked);
    }
    let passphrase = Secret::new(PASSPHRASE.into());
    desk.ask(Request::ProfileUnlock { passphrase });
    desk.world.settle();
    desk.world
        .log(desk.alice)
        .expect("it goes on")
        .append(b"after\n");
    let text = String::from_utf8(desk.export(Record::Log).expect("it comes out")).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        (lines.len(), lines[1], lines[3]),
        (4, "before", "after"),
        "{text}"
    );
    assert!(lines[0].starts_with("Sotto 0.1.0, "), "{text}");
    let view = desk.view();
    assert_eq!((view.stanzas, view.log), (Recording::Sealed, true));
    assert!(view.log_bytes > 0);
    desk.ask(Request::RecordRemove {
        record: Record::Log,
    });
    assert_eq!(desk.view().log_bytes, 0);
    desk.set(|settings| settings.record_log = false);
    assert!(desk.world.log(desk.alice).is_none());
}

#[test]
fn r_data_03_a_record_that_cannot_be_written_stops_and_messages_go_on() {
    let mut desk = Desk::new();
    std::fs::write(desk.records(), "in the way").expect("it writes");
    desk.set(|settings| settings.record_stanzas = Recording::Sealed);
    desk.world.take_events(desk.alice);
    desk.world.say(desk.alice, BOB, "hello");
    desk.world.settle();
    assert_eq!(desk.world.bodies(desk.bob, ALICE), ["hello"]);
    assert!(
        desk.world
            .take_events(desk.alice)
            .contains(&Event::RecordsChanged)
    );
    let view = desk.view();
    assert_eq!(view.stanzas, Recording::Off);
    assert!(
        view.failure.contains("Recording stopped"),
        "{}",
        view.failure
    );
    std::fs::remove_file(desk.records()).expect("it goes");
    desk.set(|settings| settings.record_stanzas = Recording::Off);
    desk.set(|settings| settings.record_stanzas = Recording::Sealed);
    desk.world.say(desk.alice, BOB, "again");
    desk.world.settle();
    let view = desk.view();
    assert_eq!(
        (view.stanzas, view.failure.as_str()),
        (Recording::Sealed, "")
    );
    assert_eq!(view.stanza_files, 1);
}

impl Desk {
    /// Alice, whose profile lies on disk, and Bob, both signed in.
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let mut world = World::new();
        for name in ["alice", "bob"] {
            world.servers[0].add_user(name, PASSWORD);
        }
        world.servers[0].add_contact("alice", BOB, "both");
        world.servers[0].add_contact("bob", ALICE, "both");
        let alice = world.add_profile(&home.path().join("profile"));
        let protection = Protection::Passphrase {
            passphrase: Secret::new(PASSPHRASE.into()),
        };
        world.ask(alice, Request::ProfileCreate { protection });
        world.ask(
            alice,
            Request::PolicySet {
                scope: PolicyScope::Global {},
                policy: Some(Policy::Off),
                follow: false,
            },
        );
        world.sign_in(alice, "alice");
        let bob = world.add_player();
        world.sign_in(bob, "bob");
        world.pass(Duration::from_secs(5));
        Self {
            world,
            alice,
            bob,
            home,
        }
    }

    fn ask(&mut self, request: Request) -> Reply {
        self.world.ask(self.alice, request)
    }

    fn set(&mut self, change: impl FnOnce(&mut Settings)) {
        let Reply::Settings(mut settings) = self.ask(Request::SettingsGet {}) else {
            panic!("no settings")
        };
        change(&mut settings);
        self.ask(Request::SettingsSet { settings });
    }

    fn view(&mut self) -> RecordsView {
        match self.ask(Request::RecordStatus {}) {
            Reply::Records(view) => view,
            other => panic!("{other:?}"),
        }
    }

    fn records(&self) -> PathBuf {
        self.home.path().join("profile/records")
    }

    fn export(&mut self, record: Record) -> Result<Vec<u8>, ApiError> {
        let file = self.home.path().join("out-1");
        self.export_to(record, &file)?;
        Ok(std::fs::read(file).expect("it reads"))
    }

    fn export_to(&mut self, record: Record, file: &Path) -> Result<Reply, ApiError> {
        let file = file.to_str().expect("UTF-8").to_owned();
        self.world
            .try_ask(self.alice, Request::RecordExport { record, file })
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}
