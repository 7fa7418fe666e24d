//! A profile whose store is damaged: told in plain words, and saved on request.

use std::time::{Duration, Instant};

use sotto_api::view::ProfileState;
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
