//! A profile whose store is damaged: told in plain words, and saved on request.

use std::time::{Duration, Instant};

use sotto_api::view::{EraseScope, ProfileState};
use sotto_api::{ErrorKind, Outcome, Protection, Reply, Request, Secret};
use sotto_store::ProfileDir;

use crate::io::{ClientId, Input, Now, Output};
use crate::lock::SALVAGE_WAIT;
use crate::{Engine, EngineConfig};

#[test]
fn r_data_04_a_damaged_store_is_told_in_plain_words_and_saved_on_request() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("profile");
    let mut shell = Shell::start(&path);
    shell.ask(Request::ProfileCreate {
        protection: Protection::None,
    });
    shell.ask(Request::SettingsSet {
        settings: sotto_api::view::Settings {
            scale: 150,
            ..Default::default()
        },
    });
    shell.ask(Request::Quit {});
    drop(shell);

    // The first page: nothing opens without it.
    let file = path.join("store.db");
    let mut bytes = std::fs::read(&file).expect("it reads");
    bytes[100..200].fill(7);
    std::fs::write(&file, &bytes).expect("it writes");

    let mut shell = Shell::start(&path);
    let refused = shell.try_ask(Request::AccountList {});
    let Outcome::Error(error) = refused else {
        panic!("it opened")
    };
    assert_eq!(error.kind, ErrorKind::Store);
    assert!(error.message.contains("damaged"), "{}", error.message);
    assert!(error.message.contains("Nothing was deleted"));
    assert_eq!(std::fs::read(&file).expect("it reads"), bytes, "untouched");

    shell.ask(Request::ProfileSalvage {});
    let Reply::Profile(view) = shell.ask(Request::ProfileStatus {}) else {
        panic!("no profile")
    };
    assert_eq!(view.state, ProfileState::Open);
    assert!(
        view.warning.contains("store.db.damaged-1"),
        "{}",
        view.warning
    );
    let kept = std::fs::read(path.join("store.db.damaged-1")).expect("it is kept");
    assert!(kept == bytes);
    let Reply::Settings(settings) = shell.ask(Request::SettingsGet {}) else {
        panic!("no settings")
    };
    assert_eq!(settings.scale, 150);

    // An open profile can be gone through as well.
    shell.ask(Request::ProfileSalvage {});
    shell.ask(Request::AccountList {});
    assert!(path.join("store.db.damaged-2").exists());
}

#[test]
fn s_store_08_the_key_of_a_store_that_does_not_open_does_not_stay_in_memory() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("profile");
    let mut shell = Shell::start(&path);
    shell.ask(Request::ProfileCreate {
        protection: Protection::Passphrase {
            passphrase: passphrase(),
        },
    });
    shell.ask(Request::Quit {});
    drop(shell);
    let file = path.join("store.db");
    let mut bytes = std::fs::read(&file).expect("it reads");
    bytes[100..200].fill(7);
    std::fs::write(&file, &bytes).expect("it writes");

    let mut shell = Shell::start(&path);
    let unlock = |shell: &mut Shell| {
        let passphrase = passphrase();
        match shell.try_ask(Request::ProfileUnlock { passphrase }) {
            Outcome::Error(error) => assert_eq!(error.kind, ErrorKind::Store),
            Outcome::Ok(_) => panic!("it opened"),
        }
    };
    let salvage_is_refused = |shell: &mut Shell| match shell.try_ask(Request::ProfileSalvage {}) {
        Outcome::Error(error) => assert_eq!(error.kind, ErrorKind::Locked),
        Outcome::Ok(_) => panic!("without a passphrase"),
    };
    unlock(&mut shell);
    shell.ask(Request::ProfileLock {});
    salvage_is_refused(&mut shell);
    // Nor for as long as nobody thinks of it.
    unlock(&mut shell);
    shell.pass(SALVAGE_WAIT);
    salvage_is_refused(&mut shell);
    unlock(&mut shell);
    shell.ask(Request::ProfileSalvage {});
    shell.ask(Request::AccountList {});
}

fn passphrase() -> Secret {
    Secret::new("six green bottles".to_owned())
}

#[test]
fn s_store_07_a_damaged_store_that_was_saved_goes_with_everything_or_after_a_month() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("profile");
    let mut shell = Shell::start(&path);
    shell.ask(Request::ProfileCreate {
        protection: Protection::None,
    });
    let beside = || {
        let mut names: Vec<String> = std::fs::read_dir(&path)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().into_string())
            .map(|name| name.expect("a name"))
            .filter(|name| name.starts_with("store.db."))
            .collect();
        names.sort();
        names
    };
    shell.ask(Request::ProfileSalvage {});
    shell.ask(Request::ProfileSalvage {});
    assert_eq!(beside(), ["store.db.damaged-1", "store.db.damaged-2"]);
    let count = |shell: &mut Shell, what| match shell.ask(Request::HistoryCount { what }) {
        Reply::Erased(view) => view.text,
        other => panic!("{other:?}"),
    };
    let day = EraseScope::Day {
        conversation: None,
        day: "1970-01-01".into(),
        zone: "UTC".into(),
    };
    assert_eq!(
        count(&mut shell, day.clone()),
        "There is nothing to erase. 2 files of a damaged store still lie in the profile and may hold older \
         messages, these too. They go when you erase everything, or after 30 days."
    );
    assert_eq!(
        count(&mut shell, EraseScope::All),
        "There is nothing to erase. 2 files of a damaged store go too."
    );
    shell.wait(3600);
    shell.erase(day);
    assert_eq!(beside(), ["store.db.damaged-1", "store.db.damaged-2"]);

    // What an interrupted salvage left goes at the next start; a file that is long goes in slices.
    shell.ask(Request::Quit {});
    drop(shell);
    std::fs::write(path.join("store.db.new"), vec![7; 9_000_000]).expect("it writes");
    std::fs::write(path.join("store.db.copy-wal"), b"old").expect("it writes");
    let mut shell = Shell::start(&path);
    shell.ask(Request::AccountList {});
    shell.wait(2);
    assert_eq!(beside(), ["store.db.damaged-1", "store.db.damaged-2"]);

    assert_eq!(
        shell.erase(EraseScope::All),
        "There was nothing to erase. 2 files of a damaged store are gone too."
    );
    assert_eq!(beside(), [""; 0]);

    // By itself. The clock of the files is the computer's.
    shell.ask(Request::ProfileSalvage {});
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970")
        .as_millis();
    shell.now.unix_ms = i64::try_from(now).expect("a time");
    shell.wait(25 * 3600);
    assert_eq!(beside(), ["store.db.damaged-1"]);
    for _ in 0..29 {
        shell.wait(24 * 3600);
    }
    assert_eq!(beside(), [""; 0]);
}

#[test]
fn an_erasure_of_everything_says_that_what_was_recorded_stays() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("profile");
    let mut shell = Shell::start(&path);
    shell.ask(Request::ProfileCreate {
        protection: Protection::None,
    });
    let records = path.join("records");
    std::fs::create_dir(&records).expect("a folder");
    std::fs::write(records.join("stanzas-1.pcapng"), b"words").expect("it writes");
    let Reply::Erased(count) = shell.ask(Request::HistoryCount {
        what: EraseScope::All,
    }) else {
        panic!("no count")
    };
    let said = "What was recorded for finding faults is not history: 1 file keeps messages as they came and went. \
                Remove what was recorded in the settings, or with sotto-cli records remove stanzas.";
    assert!(count.text.ends_with(said), "{}", count.text);
    let erased = shell.erase(EraseScope::All);
    assert!(erased.ends_with(said), "{erased}");
}

struct Shell {
    engine: Engine,
    now: Now,
    next: u64,
}

impl Shell {
    fn start(path: &std::path::Path) -> Self {
        let now = Now {
            instant: Instant::now(),
            unix_ms: 0,
        };
        let config = EngineConfig {
            profile: ProfileDir::open(path).expect("a folder"),
            random: Box::new(|buffer| buffer.fill(4)),
            software: "Sotto 0.1.0".into(),
        };
        let mut shell = Self {
            engine: Engine::new(config, now),
            now,
            next: 1,
        };
        shell.run();
        shell
    }

    fn ask(&mut self, request: Request) -> Reply {
        match self.try_ask(request) {
            Outcome::Ok(reply) => reply,
            Outcome::Error(error) => panic!("{error}"),
        }
    }

    fn try_ask(&mut self, request: Request) -> Outcome {
        let id = self.next;
        self.next += 1;
        let client = ClientId(1);
        self.engine.handle(
            Input::Request {
                client,
                id,
                request,
            },
            self.now,
        );
        self.run().expect("an answer")
    }

    fn pass(&mut self, time: Duration) {
        self.now.instant += time;
        let due = self.engine.poll_timeout().expect("something is due");
        assert!(due <= self.now.instant);
        self.engine.handle_timeout(self.now);
        self.run();
    }

    /// Erases, and what was said then.
    fn erase(&mut self, what: EraseScope) -> String {
        self.next += 1;
        let request = Request::HistoryErase { what };
        self.engine.handle(
            Input::Request {
                client: ClientId(1),
                id: self.next,
                request,
            },
            self.now,
        );
        assert!(self.run().is_none(), "it is answered later");
        match self.wait(60) {
            Some(Outcome::Ok(Reply::Erased(view))) => view.text,
            other => panic!("{other:?}"),
        }
    }

    /// Lets so many seconds go by.
    fn wait(&mut self, seconds: u64) -> Option<Outcome> {
        let end = self.now.instant + Duration::from_secs(seconds);
        let mut answer = None;
        while let Some(at) = self.engine.poll_timeout().filter(|at| *at <= end) {
            self.set_instant(at.max(self.now.instant));
            self.engine.handle_timeout(self.now);
            answer = self.run().or(answer);
        }
        self.set_instant(end);
        answer
    }

    fn set_instant(&mut self, instant: Instant) {
        let passed = instant.saturating_duration_since(self.now.instant);
        self.now.unix_ms += i64::try_from(passed.as_millis()).expect("a time");
        self.now.instant = instant;
    }

    fn run(&mut self) -> Option<Outcome> {
        let mut answer = None;
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Reply { outcome, .. } => answer = Some(outcome),
                Output::Work { work, job } => {
                    let result = job.run();
                    self.engine
                        .handle(Input::WorkDone { work, result }, self.now);
                }
                Output::Picture { .. } => panic!("no picture is asked for here"),
                Output::Event(_) | Output::Link { .. } | Output::Log(_) | Output::Quit => {}
            }
        }
        answer
    }
}
