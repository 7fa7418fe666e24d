use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use sotto_api::view::{Direction, MessageKind, Privacy};
use sotto_api::{ConversationId, Protection, Timestamp};
use tempfile::TempDir;

use super::*;
use crate::key::CHEAP_FOR_TESTS;
use crate::profile::tests::crash_at;
use crate::row::{NewAccount, NewMessage, Page, Place};

const OWN: &str = "of the file";

/// Where profiles and files lie.
struct Table {
    home: TempDir,
}

impl Table {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().expect("a folder"),
        }
    }

    fn profile(&self, name: &str) -> ProfileDir {
        ProfileDir::open(&self.home.path().join(name)).expect("a profile's folder")
    }

    fn file(&self) -> PathBuf {
        self.home.path().join("sara.sotto")
    }

    /// What lies beside the profiles.
    fn names(&self) -> Vec<String> {
        let listed = fs::read_dir(self.home.path()).expect("it lists").flatten();
        let mut names: Vec<String> = listed
            .filter(|entry| entry.path().is_file())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

/// A profile in use, with texts enough for several chunks.
fn filled(profile: &ProfileDir) -> (Store, DatabaseKey, ConversationId) {
    let mut job = KeyFile::create_job(
        profile,
        Protection::Passphrase {
            passphrase: secret("of the profile"),
        },
    );
    job.pace = CHEAP_FOR_TESTS;
    let key = job.run().expect("it makes").1;
    let store = Store::open(profile, &key).expect("it opens");
    let account = store
        .account_add(&NewAccount {
            network: "xmpp",
            address: "sara@example.org",
            enabled: true,
            settings: &sotto_api::AccountSettings::default(),
            agent_id: "d4565fa7",
        })
        .expect("an account");
    let conversation = store
        .conversation_open(account, "leila@example.org")
        .expect("a conversation");
    for number in 0..40 {
        say(
            &store,
            conversation,
            &format!("canary-{number} {}", "long ".repeat(1500)),
        );
    }
    store.setting_set("test", &"kept").expect("a setting");
    (store, key, conversation)
}

fn say(store: &Store, conversation: ConversationId, body: &str) {
    store
        .message_insert(
            &NewMessage {
                conversation,
                direction: Direction::Incoming,
                kind: MessageKind::Text,
                body,
                at: Timestamp(0),
                received_at: Timestamp(0),
                delivery: None,
                privacy: Privacy::ServerOnly,
                origin_id: None,
                message_id: None,
                archive_id: None,
                sender: "",
                unread: true,
                kept: true,
                notice: None,
            },
            Place::Newest,
        )
        .expect("it is stored");
}

fn bodies(store: &Store, conversation: ConversationId) -> Vec<String> {
    store
        .message_page(conversation, Page::Newest, 500)
        .expect("a page")
        .messages
        .into_iter()
        .map(|message| message.body)
        .collect()
}

fn back_up(store: &Store, key: &DatabaseKey, file: &Path) -> Result<(), BackupError> {
    let snapshot = store.freeze().expect("it freezes");
    let done = job(snapshot, key, file).run();
    store.thaw().expect("it thaws");
    done
}

fn job(snapshot: Snapshot, key: &DatabaseKey, file: &Path) -> BackUpJob {
    let mut job = BackUpJob::new(snapshot, key.clone(), secret(OWN), file.to_owned());
    job.pace = CHEAP_FOR_TESTS;
    job
}

fn restore(
    profile: &ProfileDir,
    file: &Path,
    passphrase: &str,
) -> Result<(KeyFile, DatabaseKey), BackupError> {
    let mut job = RestoreJob::new(profile.clone(), secret(passphrase), file.to_owned());
    job.pace = CHEAP_FOR_TESTS;
    job.run()
}

fn secret(text: &str) -> Secret {
    Secret::new(text.into())
}

fn is_absent(profile: &ProfileDir) -> bool {
    KeyFile::load(profile).expect("it loads").is_none()
        && !profile.path().join(STORE_FILE).exists()
        && !profile.path().join(PART).exists()
        && !profile.path().join(READY).exists()
}

#[test]
fn s_store_17_a_backup_opens_on_another_computer_with_its_own_passphrase() {
    let place = Table::new();
    let (store, key, conversation) = filled(&place.profile("here"));
    back_up(&store, &key, &place.file()).expect("it is written");
    assert_eq!(place.names(), ["sara.sotto"]);
    let mode = fs::metadata(place.file()).expect("it is there").mode() & 0o777;
    assert_eq!(mode, 0o600, "{mode:o}");
    let bytes = fs::read(place.file()).expect("it reads");
    assert!(bytes.len() > 3 * chunks::CHUNK, "{}", bytes.len());
    for word in ["canary", "sara@", "SQLite format"] {
        let found = bytes
            .windows(word.len())
            .any(|window| window == word.as_bytes());
        assert!(!found, "{word}");
    }

    let there = place.profile("there");
    let (made, opened) = restore(&there, &place.file(), OWN).expect("it is restored");
    assert_eq!(KeyFile::load(&there).expect("it loads"), Some(made.clone()));
    let copy = Store::open(&there, &opened).expect("it opens");
    copy.check().expect("it is sound");
    assert_eq!(bodies(&copy, conversation), bodies(&store, conversation));
    let setting: Option<String> = copy.setting("test").expect("a setting");
    assert_eq!(setting.as_deref(), Some("kept"));
    // The file's passphrase is the profile's now, at a salt of its own.
    let unlocked = made
        .unlock_job(&there, Some(secret(OWN)))
        .run()
        .expect("it opens")
        .1;
    assert_eq!(unlocked.derive("", &[]), key.derive("", &[]));
    let line = fs::read_to_string(there.path().join("profile.key")).expect("it reads");
    let head = String::from_utf8_lossy(&read_head(&mut &bytes[..]).expect("a head")).into_owned();
    let salt = head
        .split("\"salt\":\"")
        .nth(1)
        .and_then(|rest| rest.get(..24))
        .expect("a salt");
    assert!(!line.contains(salt), "{line}");
}

#[test]
fn s_otr_12_a_restored_store_knows_that_it_is_a_copy_and_resumes_no_stream() {
    let place = Table::new();
    let (store, key, _) = filled(&place.profile("here"));
    let account = store.accounts().expect("accounts")[0].id;
    store.sm_state_set(account, Some("{}")).expect("a position");
    store
        .otr_state_set(account, "leila@example.org", b"state")
        .expect("a state");
    back_up(&store, &key, &place.file()).expect("it is written");
    assert!(!store.is_copy().expect("it reads"));
    let there = place.profile("there");
    // What an earlier store has left is no part of this one.
    for name in ["store.db-wal", "restore.part-wal"] {
        fs::write(there.path().join(name), b"of another store").expect("a file");
    }
    let (_, opened) = restore(&there, &place.file(), OWN).expect("it is restored");
    let copy = Store::open(&there, &opened).expect("it opens");
    copy.check().expect("it is sound");
    assert!(copy.is_copy().expect("it reads"));
    assert_eq!(copy.sm_state(account).expect("it reads"), None);
    let state = copy.otr_state(account, "leila@example.org");
    assert!(state.expect("it reads").is_some(), "the engine ends it");
    copy.copy_settled().expect("it is written");
    assert!(!copy.is_copy().expect("it reads"));
}

#[test]
fn s_store_17_what_is_written_during_a_backup_is_kept_and_the_copy_is_of_one_moment() {
    let place = Table::new();
    let here = place.profile("here");
    let (store, key, conversation) = filled(&here);
    let before = bodies(&store, conversation);
    let snapshot = store.freeze().expect("it freezes");
    let again = store.freeze().expect_err("one at a time");
    assert!(matches!(again, StoreError::Exists { .. }), "{again}");
    let frozen = fs::read(here.path().join(STORE_FILE)).expect("it reads");
    for number in 0..200 {
        say(
            &store,
            conversation,
            &format!("meanwhile {number} {}", "x".repeat(30_000)),
        );
    }
    store.checkpoint().expect("it waits");
    assert!(fs::read(here.path().join(STORE_FILE)).expect("it reads") == frozen);
    job(snapshot.clone(), &key, &place.file())
        .run()
        .expect("it is written");
    store.thaw().expect("it thaws");
    assert!(!snapshot.holds());
    assert!(fs::read(here.path().join(STORE_FILE)).expect("it reads") != frozen);
    assert_eq!(bodies(&store, conversation).len(), 240);

    let there = place.profile("there");
    let (_, opened) = restore(&there, &place.file(), OWN).expect("it is restored");
    let copy = Store::open(&there, &opened).expect("it opens");
    copy.check().expect("it is sound");
    assert_eq!(bodies(&copy, conversation), before);
}

#[test]
fn s_store_17_a_profile_that_is_closed_meanwhile_leaves_no_file() {
    let place = Table::new();
    let (store, key, _) = filled(&place.profile("here"));
    let snapshot = store.freeze().expect("it freezes");
    store.close().expect("it closes");
    assert!(!snapshot.holds());
    let stopped = job(snapshot, &key, &place.file()).run();
    assert!(matches!(stopped, Err(BackupError::Closed)), "{stopped:?}");
    assert_eq!(place.names(), [""; 0]);

    let (store, key, _) = filled(&place.profile("dropped"));
    let snapshot = store.freeze().expect("it freezes");
    drop(store);
    let stopped = job(snapshot, &key, &place.file()).run();
    assert!(matches!(stopped, Err(BackupError::Closed)), "{stopped:?}");
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn s_store_17_what_is_there_is_never_written_over() {
    let place = Table::new();
    let here = place.profile("here");
    let (store, key, _) = filled(&here);
    fs::write(place.file(), "something else").expect("it writes");
    let refused = back_up(&store, &key, &place.file());
    assert!(matches!(refused, Err(BackupError::Exists)), "{refused:?}");
    assert_eq!(fs::read(place.file()).expect("it reads"), b"something else");
    fs::remove_file(place.file()).expect("it goes");
    back_up(&store, &key, &place.file()).expect("it is written");
    store.close().expect("it closes");
    let before = fs::read(here.path().join(STORE_FILE)).expect("it reads");
    let refused = restore(&here, &place.file(), OWN);
    assert!(
        matches!(refused, Err(BackupError::Key(KeyError::Exists))),
        "{refused:?}"
    );
    // A store whose key was lost is not written over either.
    for name in ["profile.key", "profile.key.copy"] {
        fs::remove_file(here.path().join(name)).expect("it goes");
    }
    let refused = restore(&here, &place.file(), OWN);
    assert!(refused.is_err());
    assert!(fs::read(here.path().join(STORE_FILE)).expect("it reads") == before);
}

#[test]
fn s_store_17_a_cut_or_changed_file_restores_nothing() {
    let place = Table::new();
    let (store, key, _) = filled(&place.profile("here"));
    back_up(&store, &key, &place.file()).expect("it is written");
    let whole = fs::read(place.file()).expect("it reads");
    let head = read_head(&mut &whole[..]).expect("a head").len();
    let there = place.profile("there");
    let bent_file = place.home.path().join("bent");
    let mut tried = 0;
    let mut check = |bytes: &[u8], what: &str| {
        fs::write(&bent_file, bytes).expect("it writes");
        let refused = restore(&there, &bent_file, OWN);
        assert!(refused.is_err(), "{what}");
        assert!(
            !matches!(refused, Err(BackupError::WrongPassphrase)),
            "{what}: {refused:?}"
        );
        assert!(is_absent(&there), "{what}");
        tried += 1;
    };
    let step = chunks::CHUNK + chunks::TAG;
    let cuts = [
        0,
        1,
        head - 1,
        head,
        head + 1,
        head + step,
        head + 2 * step,
        whole.len() - 1,
    ];
    for cut in cuts {
        check(&whole[..cut], &format!("cut at {cut}"));
    }
    let places = (0..head - 1)
        .step_by(13)
        .chain((head..whole.len()).step_by(whole.len() / 40));
    for at in places {
        let mut bent = whole.clone();
        bent[at] ^= 4;
        check(&bent, &format!("byte {at}"));
    }
    check(&[whole.as_slice(), b"more"].concat(), "longer");
    assert!(tried > 60, "{tried}");

    let refused = restore(&there, &place.file(), "another");
    assert!(
        matches!(refused, Err(BackupError::WrongPassphrase)),
        "{refused:?}"
    );
    assert!(is_absent(&there));
    restore(&there, &place.file(), OWN).expect("the whole one is fine");
}

#[test]
fn s_store_17_a_later_version_and_a_dear_cost_are_refused_at_once() {
    let place = Table::new();
    let (store, key, _) = filled(&place.profile("here"));
    back_up(&store, &key, &place.file()).expect("it is written");
    let whole = fs::read(place.file()).expect("it reads");
    let length = read_head(&mut &whole[..]).expect("a head").len();
    let mut head: Head = serde_json::from_slice(&whole[..length]).expect("it reads");
    let there = place.profile("there");
    let bent_file = place.home.path().join("bent");
    let try_head = |head: &Head| {
        let mut bytes = serde_json::to_vec(head).expect("it writes");
        bytes.push(b'\n');
        bytes.extend_from_slice(&whole[length..]);
        fs::write(&bent_file, bytes).expect("it writes");
        restore(&there, &bent_file, OWN).map(drop)
    };
    head.version = 2;
    head.check = check(&head);
    let refused = try_head(&head);
    assert!(
        matches!(refused, Err(BackupError::Newer { found: 2, .. })),
        "{refused:?}"
    );
    head.version = 1;
    let json = serde_json::to_string(&head.slot).expect("it writes");
    let dear = json.replace("\"passes\":1", "\"passes\":4000000000");
    assert_ne!(dear, json);
    head.slot = serde_json::from_str(&dear).expect("it reads");
    head.check = check(&head);
    let started = std::time::Instant::now();
    let refused = try_head(&head);
    assert!(matches!(refused, Err(BackupError::Damaged)), "{refused:?}");
    assert!(started.elapsed() < Duration::from_secs(5));
    for other in [
        "",
        "no json\n",
        "{\"sotto\":\"profile key\",\"version\":1}\n",
    ] {
        fs::write(&bent_file, other).expect("it writes");
        let refused = restore(&there, &bent_file, OWN);
        assert!(
            matches!(refused, Err(BackupError::NotABackup)),
            "{other:?}: {refused:?}"
        );
    }
}

#[test]
fn s_store_17_a_restore_that_dies_leaves_no_profile_or_a_whole_one() {
    let place = Table::new();
    let (store, key, conversation) = filled(&place.profile("here"));
    back_up(&store, &key, &place.file()).expect("it is written");
    let expected = bodies(&store, conversation);
    let mut whole = 0;
    for n in 0.. {
        let there = place.profile(&format!("there-{n}"));
        let crashed = crash_at(n, || {
            restore(&there, &place.file(), OWN).expect("it is restored");
        });
        let key = match KeyFile::load(&there).expect("it loads") {
            Some(file) => {
                whole += 1;
                file.unlock_job(&there, Some(secret(OWN)))
                    .run()
                    .expect("it opens")
                    .1
            }
            // Nothing counts; it is done again.
            None => {
                restore(&there, &place.file(), OWN)
                    .expect("it is restored")
                    .1
            }
        };
        let copy = Store::open(&there, &key).expect("it opens");
        assert_eq!(bodies(&copy, conversation), expected, "at {n}");
        if !crashed {
            assert!(
                n >= 12 && whole > 1,
                "{n} places to crash at, {whole} whole"
            );
            break;
        }
    }
}

#[test]
fn s_store_12_an_older_copy_of_the_file_that_was_put_back_is_noticed_once() {
    let place = Table::new();
    let here = place.profile("here");
    let file = here.path().join(STORE_FILE);
    let (store, key, _) = filled(&here);
    store.close().expect("it closes");
    let store = Store::open(&here, &key).expect("it opens");
    assert!(!store.was_put_back() && !store.is_copy().expect("it reads"));
    store.close().expect("it closes");
    let older = place.file();
    fs::copy(&file, &older).expect("it copies");
    let store = Store::open(&here, &key).expect("it opens");
    store
        .setting_set("newer", &true)
        .expect("it is written since");
    store.close().expect("it closes");

    fs::remove_file(&file).expect("it goes");
    fs::copy(&older, &file).expect("it copies");
    let store = Store::open(&here, &key).expect("it opens");
    assert!(store.was_put_back());
    assert!(store.is_copy().expect("it reads"), "its sessions end");
    store.copy_settled().expect("they are ended");
    store.close().expect("it closes");
    let store = Store::open(&here, &key).expect("it opens");
    assert!(!store.was_put_back() && !store.is_copy().expect("it reads"));
}

#[test]
fn s_store_07_a_destroyed_profile_is_gone_and_only_it() {
    let place = Table::new();
    let here = place.profile("here");
    let (store, key, _) = filled(&here);
    fs::write(here.path().join("notes.txt"), "of the person").expect("it writes");
    fs::create_dir(here.path().join("records")).expect("a folder");
    fs::write(here.path().join("records/stanzas-1.pcapng"), "x").expect("it writes");
    let _lock = here.lock().expect("it locks");
    let file = KeyFile::load(&here).expect("it loads");
    let started = std::time::Instant::now();
    here.destroy_key(file.as_ref()).expect("the key goes first");
    assert!(KeyFile::load(&here).expect("it loads").is_none());
    store.close().expect("it closes");
    here.destroy(file.as_ref()).expect("the rest goes");
    assert!(started.elapsed() < Duration::from_secs(3));
    drop(key);
    let listed = fs::read_dir(here.path()).expect("it lists").flatten();
    let mut names: Vec<String> = listed
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["lock", "notes.txt"]);
}
