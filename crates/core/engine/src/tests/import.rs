//! Moving in from Jitsi and Pidgin.

use std::fs;
use std::path::{Path, PathBuf};

use sotto_api::view::{
    AccountState, Delivery, Direction, Expiry, ImportParts, ImportProgram, ImportState, ImportView,
    MessageKind, Privacy, Settings, Trust,
};
use sotto_api::{
    ApiError, ConversationId, ErrorKind, Event, ImportId, Reply, Request, Secret, Timestamp,
};
use sotto_store::row::{NewMessage, Place};
use tempfile::TempDir;

use super::harness::{Who, World};

const SARA: &str = "sara@example.org";
const LEILA: &str = "leila@example.org";
const ALL: ImportParts = ImportParts {
    accounts: true,
    passwords: true,
    history: true,
    keys: true,
};
const HISTORY: ImportParts = ImportParts {
    accounts: false,
    passwords: false,
    history: true,
    keys: false,
};

/// A copy of a sample of the import crate's.
fn sample(name: &str) -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().expect("a folder");
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../import/tests/data")
        .join(name);
    let to = home.path().canonicalize().expect("it is there").join(name);
    copy(&from, &to);
    (home, to)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the sample is there") {
        let entry = entry.expect("it reads");
        if entry.file_type().expect("a kind").is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).expect("it copies");
        }
    }
}

/// A profile of Pidgin's with one account and a long conversation: a message each minute from 2014-03-21 on.
fn long_history(messages: u32) -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().expect("a folder");
    let root = home.path().canonicalize().expect("it is there");
    fs::write(
        root.join("accounts.xml"),
        "<account version='1.0'><account><protocol>prpl-jabber</protocol><name>sara@example.org</name>\
         <password>secret</password></account></account>",
    )
    .expect("it writes");
    let logs = root.join("logs/jabber/sara@example.org/leila@example.org");
    fs::create_dir_all(&logs).expect("folders");
    let mut number = 0;
    for day in 21..28 {
        let mut log = String::from("Conversation with leila@example.org\n");
        for minute in 0..messages.div_ceil(7) {
            if number == messages {
                break;
            }
            let name = if number % 2 == 0 { SARA } else { LEILA };
            log.push_str(&format!(
                "({:02}:{:02}:00) {name}: message {number}\n",
                minute / 60,
                minute % 60
            ));
            number += 1;
        }
        fs::write(logs.join(format!("2014-03-{day}.000000+0000UTC.txt")), log).expect("it writes");
    }
    (home, root)
}

fn scan(world: &mut World, who: Who, program: ImportProgram, folder: &Path) -> ImportView {
    match try_scan(world, who, program, folder, None) {
        Ok(view) => view,
        Err(error) => panic!("{error}"),
    }
}

fn try_scan(
    world: &mut World,
    who: Who,
    program: ImportProgram,
    folder: &Path,
    master: Option<&str>,
) -> Result<ImportView, ApiError> {
    let reply = world.try_ask(who, scan_request(program, folder, master))?;
    Ok(view_of(reply))
}

fn scan_request(program: ImportProgram, folder: &Path, master: Option<&str>) -> Request {
    Request::ImportScan {
        program,
        folder: Some(folder.to_string_lossy().into_owned()),
        master: master.map(|master| Secret::new(master.into())),
    }
}

fn run(world: &mut World, who: Who, import: ImportId, parts: ImportParts) -> ImportView {
    view_of(world.ask(who, Request::ImportRun { import, parts }))
}

fn view_of(reply: Reply) -> ImportView {
    match reply {
        Reply::Import(view) => view,
        other => panic!("{other:?}"),
    }
}

fn settings(world: &mut World, who: Who, change: impl FnOnce(&mut Settings)) {
    let Reply::Settings(mut settings) = world.ask(who, Request::SettingsGet {}) else {
        panic!("no settings")
    };
    change(&mut settings);
    world.ask(who, Request::SettingsSet { settings });
}

fn files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).expect("it reads");
    entries
        .map(|entry| entry.expect("it reads").path())
        .map(|path| if path.is_dir() { files(&path) } else { 1 })
        .sum()
}

#[test]
fn s_store_15_looking_at_another_program_changes_nothing() {
    let (_home, root) = sample("jitsi-2.8");
    let mut world = World::new();
    let who = world.add_player();
    let before = files(&root);
    let view = try_scan(
        &mut world,
        who,
        ImportProgram::Jitsi,
        &root,
        Some("swordfish"),
    )
    .expect("it is Jitsi's");
    assert_eq!(view.state, ImportState::Found);
    assert_eq!(view.accounts, [SARA]);
    assert_eq!(
        (view.passwords, view.needs_master, view.conversations),
        (1, false, 3)
    );
    assert_eq!((view.messages, view.calls), (10, 2));
    assert_eq!((view.own_keys, view.verified_keys), (1, 1));
    assert!(view.bytes > 1000);
    assert!(
        view.problems
            .iter()
            .any(|problem| problem.contains("sara@sip.example.org (SIP)")),
        "{:?}",
        view.problems
    );
    assert!(view.shred_text.contains("SSD"));
    assert!(world.accounts(who).is_empty());
    assert!(world.conversations(who).is_empty());
    assert_eq!(files(&root), before);
}

#[test]
fn accounts_come_switched_off_with_their_passwords_history_and_keys() {
    let (_home, root) = sample("jitsi-2.8");
    let mut world = World::new();
    let who = world.add_player();
    let view = try_scan(
        &mut world,
        who,
        ImportProgram::Jitsi,
        &root,
        Some("swordfish"),
    )
    .expect("it is Jitsi's");
    world.take_events(who);
    let view = run(&mut world, who, view.id, ALL);
    assert_eq!(view.state, ImportState::Done);
    assert_eq!(
        view.text,
        "Taken over: 1 account, 1 password, 10 messages, 2 calls, 1 own key and 1 verified code. \
         The accounts are switched off until you switch them on."
    );
    let account = world.accounts(who).remove(0);
    assert_eq!(account.address, SARA);
    assert!(!account.enabled && account.remembered);
    assert_eq!(account.state, AccountState::Disabled);
    let server = account.settings.server.expect("where Jitsi connected");
    assert_eq!(
        (server.host.as_str(), server.port),
        ("xmpp.example.org", 5223)
    );
    assert!(world.dialled(who).is_empty(), "nobody went online");

    let history = world.history(who, LEILA);
    let bodies: Vec<&str> = history.iter().map(|m| m.body.as_str()).collect();
    assert_eq!(
        bodies,
        [
            "Are you there?",
            "نعم، أنا هنا 😀 1 < 2 & so on",
            "ok",
            "ok",
            "Bold and a link (https://example.org/x)\nsecond line",
            "sara waves",
            "sent by SMS",
        ]
    );
    let first = history.first().expect("a message");
    assert_eq!(first.at, Timestamp(1_395_408_742_500));
    assert_eq!(first.direction, Direction::Outgoing);
    assert_eq!(first.delivery, Some(Delivery::Sent));
    let waves = history.get(5).expect("a message");
    assert_eq!(waves.kind, MessageKind::Action);
    let conversation = world.open(who, LEILA);
    assert_eq!(conversation.unread, 0);

    let Reply::PeerKeys(keys) = world.ask(who, Request::PeerKeyList { account: None }) else {
        panic!("no keys")
    };
    assert_eq!(keys.len(), 1);
    assert!(keys.iter().all(|key| key.trust == Trust::Verified));
    let Reply::OwnKeys(own) = world.ask(who, Request::OwnKeyList {}) else {
        panic!("no keys")
    };
    assert!(own.iter().all(|key| !key.code.is_empty()));
    let events = world.take_events(who);
    assert!(events.contains(&Event::ImportChanged { import: view.id }));
    world.with_store(who, |store| {
        let calls = store.calls(None, 10).expect("it reads");
        assert_eq!(calls.len(), 2);
        // Newest first: the missed one came over SIP, which has no account here.
        assert!(calls.first().is_some_and(|call| call.account.is_none()));
    });
}

#[test]
fn pidgin_s_things_come_likewise() {
    let (_home, root) = sample("pidgin-2.14");
    let mut world = World::new();
    let who = world.add_player();
    let view = scan(&mut world, who, ImportProgram::Pidgin, &root);
    assert_eq!(
        (view.messages, view.own_keys, view.verified_keys),
        (12, 1, 1)
    );
    let view = run(&mut world, who, view.id, ALL);
    assert_eq!(view.state, ImportState::Done);
    assert_eq!(world.bodies(who, LEILA).len(), 12);
    let Reply::PeerKeys(keys) = world.ask(who, Request::PeerKeyList { account: None }) else {
        panic!("no keys")
    };
    assert_eq!(keys.len(), 2);
    let verified = keys.iter().filter(|key| key.trust == Trust::Verified);
    assert_eq!(verified.count(), 1);
}

#[test]
fn a_second_run_brings_nothing_twice() {
    let (_home, root) = long_history(1300);
    let mut world = World::new();
    let who = world.add_player();
    for round in 0..2 {
        let view = scan(&mut world, who, ImportProgram::Pidgin, &root);
        let view = run(&mut world, who, view.id, ALL);
        assert_eq!(view.state, ImportState::Done);
        assert_eq!(world.bodies(who, LEILA).len(), 1300);
        assert_eq!(world.accounts(who).len(), 1);
        if round == 1 {
            assert_eq!(
                view.text,
                "There was nothing new to take over. 1,300 messages were here already."
            );
        }
    }
}

#[test]
fn r_data_02_a_kill_in_the_middle_loses_nothing_and_doubles_nothing() {
    let (_home, root) = long_history(2100);
    // However many slices were stored.
    for jobs in 1..7 {
        let mut world = World::new();
        let who = world.add_player();
        let view = scan(&mut world, who, ImportProgram::Pidgin, &root);
        world.limit_work(who, Some(jobs));
        world.ask_later(
            who,
            Request::ImportRun {
                import: view.id,
                parts: ALL,
            },
        );
        world.kill(who);
        world.limit_work(who, None);
        world.restart(who);
        let view = scan(&mut world, who, ImportProgram::Pidgin, &root);
        assert_eq!(run(&mut world, who, view.id, ALL).state, ImportState::Done);
        let expected: Vec<String> = (0..2100)
            .map(|number| format!("message {number}"))
            .collect();
        assert_eq!(world.bodies(who, LEILA), expected, "after {jobs} slices");
    }
}

#[test]
fn r_data_03_a_full_disk_at_any_step_leaves_the_steps_before_and_the_next_run_does_the_rest() {
    let (_home, root) = long_history(1100);
    let mut at_work = 0;
    for steps in 0..8 {
        let mut world = World::new();
        let who = world.add_player();
        // Something between, so that places are given anew in the end.
        let view = scan(&mut world, who, ImportProgram::Pidgin, &root);
        let alone = ImportParts {
            history: false,
            keys: false,
            ..ALL
        };
        run(&mut world, who, view.id, alone);
        world.with_store(who, |store| {
            let account = store.accounts().expect("accounts")[0].id;
            let conversation = store.conversation_open(account, LEILA).expect("it opens");
            let between = Timestamp(1_395_360_000_000 + 3 * 86_400_000);
            let between = here(conversation, "between", between, Direction::Outgoing);
            store
                .message_insert(&between, Place::Newest)
                .expect("it inserts");
        });
        let view = scan(&mut world, who, ImportProgram::Pidgin, &root);
        world.hold_work(who, true);
        let import = view.id;
        let asked = world.ask_later(who, Request::ImportRun { import, parts: ALL });
        for _ in 0..steps {
            world.run_held(who);
        }
        world.fill_disk(who, true);
        let worked = world.run_held(who);
        world.fill_disk(who, false);
        if worked {
            at_work += 1;
            let refused = world.answer(who, asked).expect("it is answered");
            let refused = refused.expect_err("it is full");
            assert_eq!(refused.kind, ErrorKind::Store, "after {steps}");
            let view = view_of(world.ask(who, Request::ImportView { import }));
            assert_eq!(view.state, ImportState::Found, "after {steps}");
            assert!(view.text.contains("stopped"), "{}", view.text);
        }
        world.hold_work(who, false);
        let view = run(&mut world, who, import, ALL);
        assert_eq!(view.state, ImportState::Done);
        let history = world.history(who, LEILA);
        assert_eq!(history.len(), 1101, "after {steps}");
        assert!(
            history.is_sorted_by_key(|message| message.at),
            "after {steps}"
        );
        let shown = world.open(who, LEILA).contact.preview;
        assert_eq!(shown, "message 1099", "after {steps}");
    }
    assert!(at_work > 4, "{at_work}");
}

#[test]
fn r_data_03_a_run_that_could_not_begin_did_not_happen() {
    let (_home, root) = long_history(10);
    let mut world = World::new();
    let who = world.add_player();
    let import = scan(&mut world, who, ImportProgram::Pidgin, &root).id;
    world.fill_disk(who, true);
    let request = Request::ImportRun { import, parts: ALL };
    let refused = world.try_ask(who, request).expect_err("it is full");
    assert_eq!(refused.kind, ErrorKind::Store);
    world.fill_disk(who, false);
    world.settle();
    let view = view_of(world.ask(who, Request::ImportView { import }));
    assert_eq!(view.state, ImportState::Found);
    assert_eq!(world.accounts(who), []);
    assert!(world.conversations(who).is_empty());
    let view = run(&mut world, who, import, ALL);
    assert!(view.text.contains("1 account"), "{}", view.text);
    assert_eq!(world.accounts(who).len(), 1);
    assert_eq!(world.bodies(who, LEILA).len(), 10);
}

/// A message that came here by itself.
fn here(
    conversation: ConversationId,
    body: &str,
    at: Timestamp,
    direction: Direction,
) -> NewMessage<'_> {
    NewMessage {
        conversation,
        direction,
        kind: MessageKind::Text,
        body,
        at,
        received_at: at,
        delivery: None,
        privacy: Privacy::ServerOnly,
        origin_id: None,
        message_id: None,
        archive_id: None,
        sender: LEILA,
        unread: false,
        kept: true,
        notice: None,
    }
}

#[test]
fn what_was_here_before_stands_where_its_time_says() {
    let (_home, root) = long_history(1000);
    let (mut world, who) = (World::new(), Who(0));
    world.servers[0].add_user("sara", super::harness::PASSWORD);
    world.add_player();
    let account = world.sign_in(who, "sara");
    // One before all, one in the middle (which came here as well), one unread after all.
    let at =
        |day: i64, minute: i64| Timestamp(1_395_360_000_000 + day * 86_400_000 + minute * 60_000);
    world.with_store(who, |store| {
        let conversation = store.conversation_open(account, LEILA).expect("it opens");
        for (body, at, direction, unread) in [
            ("first", at(-9, 0), Direction::Outgoing, false),
            (
                "message 0",
                Timestamp(at(0, 0).0 + 20_000),
                Direction::Outgoing,
                false,
            ),
            ("between", at(3, 0), Direction::Outgoing, false),
            ("last", at(30, 0), Direction::Incoming, true),
        ] {
            let new = NewMessage {
                unread,
                ..here(conversation, body, at, direction)
            };
            store
                .message_insert(&new, Place::Newest)
                .expect("it inserts");
        }
    });
    let view = scan(&mut world, who, ImportProgram::Pidgin, &root);
    run(&mut world, who, view.id, HISTORY);
    let history = world.history(who, LEILA);
    assert_eq!(history.len(), 1003);
    assert!(history.is_sorted_by_key(|message| message.at));
    let bodies: Vec<&str> = history.iter().map(|m| m.body.as_str()).collect();
    assert_eq!(bodies.first(), Some(&"first"));
    assert_eq!(bodies.get(1), Some(&"message 0"));
    assert_eq!(
        bodies.iter().filter(|body| **body == "message 0").count(),
        1
    );
    assert_eq!(bodies.last(), Some(&"last"));
    let conversation = world.open(who, LEILA);
    assert_eq!(conversation.unread, 1);
    assert_eq!(conversation.contact.preview, "last");
}

#[test]
fn history_goes_only_where_history_is_kept() {
    let (_home, root) = sample("pidgin-2.14");
    let mut world = World::new();
    let who = world.add_player();
    settings(&mut world, who, |settings| settings.keep_history = false);
    let view = scan(&mut world, who, ImportProgram::Pidgin, &root);
    let refused = world
        .try_ask(
            who,
            Request::ImportRun {
                import: view.id,
                parts: ALL,
            },
        )
        .expect_err("history is off");
    assert!(refused.message.contains("History is switched off"));
    assert!(world.accounts(who).is_empty(), "nothing was changed");

    settings(&mut world, who, |settings| settings.keep_history = true);
    let parts = ImportParts {
        history: false,
        ..ALL
    };
    run(&mut world, who, view.id, parts);
    let conversation = world.open(who, LEILA).id;
    world.with_store(who, |store| {
        store
            .conversation_set_keep_history(conversation, Some(false), sotto_api::Timestamp(0))
            .expect("it takes it");
    });
    let view = scan(&mut world, who, ImportProgram::Pidgin, &root);
    let view = run(&mut world, who, view.id, HISTORY);
    assert!(
        view.problems
            .iter()
            .any(|problem| problem.contains("1 conversation is not kept here")),
        "{:?}",
        view.problems
    );
    assert!(world.bodies(who, LEILA).is_empty());
}

#[test]
fn what_is_older_than_is_kept_is_left() {
    let (_home, root) = sample("jitsi-2.8");
    let mut world = World::new();
    let who = world.add_player();
    // Two days after the last message of all but one conversation.
    world.now.unix_ms = 1_395_500_405_000 + 86_400_000;
    settings(&mut world, who, |settings| settings.expiry = Expiry::Week);
    let view = scan(&mut world, who, ImportProgram::Jitsi, &root);
    world.now.unix_ms += 5 * 86_400_000 + 43_200_000;
    let view = run(&mut world, who, view.id, ALL);
    assert_eq!(
        world.bodies(who, LEILA),
        ["sara waves", "sent by SMS"],
        "the rest is older than a week"
    );
    assert!(
        view.problems
            .iter()
            .any(|problem| problem.contains("7 messages and calls are older than what you keep")),
        "{:?}",
        view.problems
    );
}

#[test]
fn what_comes_from_the_future_came_now_and_so_expires() {
    let (_home, root) = sample("jitsi-2.8");
    let mut world = World::new();
    let who = world.add_player();
    // Before all of it.
    world.now.unix_ms = 1_000_000_000_000;
    let view = scan(&mut world, who, ImportProgram::Jitsi, &root);
    run(&mut world, who, view.id, ALL);
    let history = world.history(who, LEILA);
    assert!(!history.is_empty());
    assert!(history.iter().all(|row| row.at.0 <= world.now.unix_ms));
    settings(&mut world, who, |settings| settings.expiry = Expiry::Week);
    world.pass(std::time::Duration::from_secs(8 * 86_400));
    assert!(world.bodies(who, LEILA).is_empty());
}

#[test]
fn the_history_of_an_account_that_is_not_here_is_left_and_told() {
    let (_home, root) = sample("pidgin-2.14");
    let mut world = World::new();
    let who = world.add_player();
    let view = scan(&mut world, who, ImportProgram::Pidgin, &root);
    let view = run(&mut world, who, view.id, HISTORY);
    assert!(
        view.problems.iter().any(
            |problem| problem.starts_with("The history of sara@example.org was not taken over")
        ),
        "{:?}",
        view.problems
    );
    assert!(world.conversations(who).is_empty());
    let refused = world
        .try_ask(who, Request::ImportShred { import: view.id })
        .expect_err("nothing was taken over");
    assert_eq!(refused.kind, ErrorKind::Refused);
}

#[test]
fn an_account_that_is_here_keeps_its_password_settings_and_key() {
    let (_home, root) = sample("pidgin-2.14");
    let (mut world, who) = (World::new(), Who(0));
    world.servers[0].add_user("sara", super::harness::PASSWORD);
    world.add_player();
    let account = world.sign_in(who, "sara");
    let before = world.account(who, account);
    let view = scan(&mut world, who, ImportProgram::Pidgin, &root);
    let view = run(&mut world, who, view.id, ALL);
    assert!(view.text.contains("12 messages"), "{}", view.text);
    assert!(!view.text.contains("password"), "{}", view.text);
    let after = world.account(who, account);
    assert_eq!(after.settings, before.settings);
    assert_eq!(after.state, AccountState::Online);
    world.with_store(who, |store| {
        let kept = store.credential(account).expect("it reads");
        assert_eq!(kept.expect("it is kept").expose(), super::harness::PASSWORD);
    });
}

#[test]
fn s_store_15_shredding_takes_only_what_was_taken_over_whole() {
    let (_home, root) = sample("jitsi-2.8");
    let mut world = World::new();
    let who = world.add_player();
    let view = try_scan(
        &mut world,
        who,
        ImportProgram::Jitsi,
        &root,
        Some("swordfish"),
    )
    .expect("it is Jitsi's");
    let refused = world
        .try_ask(who, Request::ImportShred { import: view.id })
        .expect_err("nothing was taken over");
    assert!(refused.message.contains("Nothing was taken over yet"));
    let view = run(&mut world, who, view.id, ALL);
    assert!(view.shred_text.contains("4 files"), "{}", view.shred_text);
    let before = files(&root);
    let view = view_of(world.ask(who, Request::ImportShred { import: view.id }));
    assert_eq!(view.state, ImportState::Shredded);
    assert!(
        view.text
            .starts_with("4 files were overwritten and removed."),
        "{}",
        view.text
    );
    assert!(view.text.contains("still there, in clear"), "{}", view.text);
    // Three histories with the description of their fields, and the calls.
    assert_eq!(files(&root), before - 5);
    // A damaged history, a room, another network, and the settings with an account that is not here stay.
    let left = root.join("history_ver1.0/messages/default");
    assert!(root.join("sip-communicator.properties").exists());
    assert_eq!(files(&left), 4);
    assert_eq!(world.bodies(who, LEILA).len(), 7);
    let refused = world
        .try_ask(who, Request::ImportShred { import: view.id })
        .expect_err("it was done");
    assert!(refused.message.contains("shredded already"));
}

#[test]
fn s_store_15_settings_and_keys_are_shredded_when_all_of_them_are_here() {
    let (_home, root) = long_history(10);
    let mut world = World::new();
    let who = world.add_player();
    let view = scan(&mut world, who, ImportProgram::Pidgin, &root);
    // Without the passwords the file that holds them stays.
    let parts = ImportParts {
        passwords: false,
        ..ALL
    };
    let view = run(&mut world, who, view.id, parts);
    let without = view.shred_text;
    let view = run(&mut world, who, view.id, ALL);
    assert_ne!(view.shred_text, without);
    world.ask(who, Request::ImportShred { import: view.id });
    assert_eq!(files(&root), 0);
}

#[test]
fn one_import_at_a_time_and_closing_ends_it() {
    let (_home, root) = long_history(1300);
    let mut world = World::new();
    let who = world.add_player();
    let view = scan(&mut world, who, ImportProgram::Pidgin, &root);
    world.limit_work(who, Some(2));
    let request = Request::ImportRun {
        import: view.id,
        parts: ALL,
    };
    let waiting = world.ask_later(who, request.clone());
    let now = view_of(world.ask(who, Request::ImportView { import: view.id }));
    assert_eq!(now.state, ImportState::Running { messages: 500 });
    for busy in [
        request,
        Request::ImportShred { import: view.id },
        scan_request(ImportProgram::Pidgin, &root, None),
    ] {
        let refused = world.try_ask(who, busy).expect_err("one runs");
        assert_eq!(refused.kind, ErrorKind::InUse, "{refused}");
    }
    world.ask(who, Request::ImportClose { import: view.id });
    let stopped = world.answer(who, waiting).expect("it was answered");
    assert!(
        stopped
            .expect_err("it was stopped")
            .message
            .contains("stopped")
    );
    let gone = world
        .try_ask(who, Request::ImportView { import: view.id })
        .expect_err("it was closed");
    assert_eq!(gone.kind, ErrorKind::NotFound);
    assert_eq!(world.bodies(who, LEILA).len(), 500);
}

#[test]
fn quitting_in_the_middle_answers_whoever_waits() {
    let (_home, root) = long_history(1300);
    let mut world = World::new();
    let who = world.add_player();
    let view = scan(&mut world, who, ImportProgram::Pidgin, &root);
    world.limit_work(who, Some(2));
    let waiting = world.ask_later(
        who,
        Request::ImportRun {
            import: view.id,
            parts: ALL,
        },
    );
    world.ask(who, Request::Quit {});
    assert!(
        world
            .answer(who, waiting)
            .expect("it was answered")
            .is_err()
    );
}

#[test]
fn a_wrong_master_password_and_a_wrong_folder_are_told_apart() {
    let (_home, root) = sample("jitsi-2.8");
    let mut world = World::new();
    let who = world.add_player();
    let wrong = try_scan(&mut world, who, ImportProgram::Jitsi, &root, Some("wrong"))
        .expect_err("it is wrong");
    assert_eq!(wrong.kind, ErrorKind::WrongPassphrase);
    let needs = scan(&mut world, who, ImportProgram::Jitsi, &root);
    assert!(needs.needs_master && needs.passwords == 0);
    let other = try_scan(&mut world, who, ImportProgram::Pidgin, &root, None)
        .expect_err("it is not Pidgin's");
    assert_eq!(other.kind, ErrorKind::Invalid);
    let nowhere = try_scan(
        &mut world,
        who,
        ImportProgram::Jitsi,
        &root.join("nowhere"),
        None,
    )
    .expect_err("there is none");
    assert_eq!(nowhere.kind, ErrorKind::NotFound);
    let relative = try_scan(
        &mut world,
        who,
        ImportProgram::Jitsi,
        Path::new("here"),
        None,
    )
    .expect_err("it is relative");
    assert_eq!(relative.kind, ErrorKind::Invalid);
    let nothing = ImportParts {
        history: false,
        ..HISTORY
    };
    let view = scan(&mut world, who, ImportProgram::Jitsi, &root);
    let refused = world
        .try_ask(
            who,
            Request::ImportRun {
                import: view.id,
                parts: nothing,
            },
        )
        .expect_err("nothing is chosen");
    assert_eq!(refused.kind, ErrorKind::Invalid);
}
