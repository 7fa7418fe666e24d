//! The store on a disk that somebody reads, cuts, fills or pulls out, and under a process that dies.

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Profile, account, add, found, incoming, occurrences, outgoing};
use sotto_api::view::{Availability, MessageKind, Subscription};
use sotto_api::{AccountSettings, Protection, Secret, Timestamp};
use sotto_store::row::{
    ArchiveState, AvatarRow, CertSeenRow, Erasure, NewAccount, NewMessage, NewOutbox,
    OutboxPurpose, Page, Place, PresenceRow, RosterItem, SubscriptionRow,
};
use sotto_store::{DatabaseKey, KeyFile, ProfileDir, Result, Store, StoreError};

/// Set for a child process: the folder that it works in.
const FOLDER: &str = "SOTTO_TEST_FOLDER";

/// How often a loop runs: by an environment variable in earnest, a few times in CI.
fn times(variable: &str, usual: usize) -> usize {
    std::env::var(variable)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual)
}

/// A small generator, the same at each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or(0) % limit
    }
}

// ---- what a thief reads ----------------------------------------------------------------------

/// One canary through every function that writes; the canaries are `canary-0042-…`.
fn write_canaries(store: &Store) -> usize {
    let mut count = 0;
    let mut canary = || {
        count += 1;
        format!("canary-{count:04}-7f3a9c51")
    };
    let settings = AccountSettings {
        resource: Some(canary()),
        client_certificate: Some(Secret::new(canary())),
        ..AccountSettings::default()
    };
    let account = store
        .account_add(&NewAccount {
            network: &canary(),
            address: &canary(),
            enabled: true,
            settings: &settings,
            agent_id: &canary(),
        })
        .expect("it adds");
    let at = Timestamp(1);
    store
        .account_set_status(account, Availability::Away, &canary())
        .expect("it sets");
    store
        .credential_set(account, &Secret::new(canary()), at)
        .expect("it sets");
    store.setting_set(&canary(), &canary()).expect("it sets");
    store
        .cert_pin_add(account, &canary(), b"canary-pin-0001-7f3a9c51-pin-pin", at)
        .expect("it adds");
    let seen = CertSeenRow {
        spki: *b"canary-pin-0002-7f3a9c51-pin-pin",
        json: canary(),
        at,
    };
    store
        .cert_seen_set(account, &canary(), &seen)
        .expect("it sets");
    store
        .mechanism_memory_set(account, Some(&canary()))
        .expect("it sets");
    store
        .sm_state_set(account, Some(&canary()))
        .expect("it sets");
    let archive = ArchiveState {
        newest: Some(canary()),
        oldest: Some(canary()),
        complete: false,
    };
    store
        .archive_state_set(account, Some(&canary()), &archive)
        .expect("it sets");
    store.caps_set(&canary(), &canary()).expect("it sets");
    let item = |jid: String, name: String, group: String| RosterItem {
        jid,
        name,
        subscription: Subscription::Both,
        ask: false,
        groups: vec![group],
    };
    let items = [item(canary(), canary(), canary())];
    store
        .roster_replace(account, &items, Some(&canary()))
        .expect("it replaces");
    store
        .roster_set(
            account,
            &item(canary(), canary(), canary()),
            Some(&canary()),
        )
        .expect("it sets");
    let presence = PresenceRow {
        jid: canary(),
        resource: canary(),
        availability: Availability::Away,
        status: canary(),
        priority: 0,
        caps: Some(canary()),
        at,
    };
    store.presence_set(account, &presence).expect("it sets");
    let request = SubscriptionRow {
        account,
        jid: canary(),
        nickname: canary(),
        text: canary(),
        at,
    };
    store.subscription_request_set(&request).expect("it sets");
    store
        .blocked_replace(account, &[canary()])
        .expect("it replaces");
    store
        .blocked_set(account, &canary(), true)
        .expect("it sets");
    let hash = canary();
    store
        .avatar_of_set(account, &canary(), Some(&hash))
        .expect("it sets");
    let avatar = AvatarRow {
        hash,
        mime: canary(),
        bytes: canary().repeat(500).into_bytes(),
    };
    store.avatar_put(&avatar).expect("it puts");

    let conversation = store
        .conversation_open(account, &canary())
        .expect("it opens");
    store.draft_set(conversation, &canary()).expect("it sets");
    let (body, sender, ids) = (canary(), canary(), [canary(), canary(), canary()]);
    let message = NewMessage {
        sender: &sender,
        origin_id: Some(&ids[0]),
        message_id: Some(&ids[1]),
        archive_id: Some(&ids[2]),
        ..outgoing(conversation, &body)
    };
    let id = store
        .message_insert(&message, Place::Newest)
        .expect("it inserts")
        .id();
    store
        .message_correct(id, MessageKind::Text, &canary(), at)
        .expect("it corrects");
    store
        .message_set_delivery(id, sotto_api::view::Delivery::Failed, &canary())
        .expect("it sets");
    let long = canary().repeat(2_000);
    store
        .message_insert(&incoming(conversation, &long), Place::Oldest)
        .expect("it inserts");
    let (stanza_id, xml) = (canary(), canary());
    store
        .outbox_add(&NewOutbox {
            account,
            message: Some(id),
            purpose: OutboxPurpose::Message,
            stanza_id: &stanza_id,
            xml: &xml,
            created: at,
        })
        .expect("it adds");
    count
}

#[test]
fn s_store_05_no_canary_stands_in_any_file_of_the_profile() {
    let profile = Profile::new();
    let words = "canary-passphrase-7f3a9c51";
    let passphrase = Protection::Passphrase {
        passphrase: Secret::new(words.into()),
    };
    let (_, key) = KeyFile::create_job(&profile.dir, passphrase)
        .run()
        .expect("it makes");
    let store = Store::open(&profile.dir, &key).expect("it opens");
    let count = write_canaries(&store);
    assert!(count >= 50, "{count} canaries");
    found(&store, "canary 0042");
    // In a transaction too large for the cache, nothing may spill in the clear.
    store.begin().expect("it begins");
    let conversation = store.conversations(1).expect("rows")[0].id;
    for _ in 0..400 {
        add(
            &store,
            &incoming(conversation, &"canary-spilled ".repeat(3_000)),
        );
    }
    let clean = |moment: &str| {
        assert_eq!(occurrences(profile.folder.path(), b"canary"), 0, "{moment}");
        // The key itself neither, in any form.
        assert_eq!(
            occurrences(profile.folder.path(), b"SQLite format"),
            0,
            "{moment}"
        );
    };
    clean("in a transaction");
    store.commit().expect("it commits");
    clean("open");
    store.close().expect("it closes");
    clean("closed");
    // The test looks in the right place: without a key all of it can be read.
    let plain = profile.folder.path().join("plain.db");
    let store = Store::open_file(&plain, None).expect("it opens");
    write_canaries(&store);
    store.close().expect("it closes");
    let seen = occurrences(profile.folder.path(), b"-7f3a9c51");
    assert!(seen > count, "{seen} of {count}");
}

#[test]
fn s_store_07_what_was_erased_is_gone_from_the_raw_file() {
    // Without a key, to see what somebody with the key could still find.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plain.db");
    let store = Store::open_file(&path, None).expect("it opens");
    let account = account(&store);
    let leila = store
        .conversation_open(account, "leila@example.org")
        .expect("it opens");
    let omid = store
        .conversation_open(account, "omid@example.org")
        .expect("it opens");
    store.begin().expect("it begins");
    for n in 0..2_000 {
        let body = format!("canary{n} canarylong {}", "canarytext ".repeat(n % 40));
        let id = add(&store, &incoming(leila, &body));
        if n % 10 == 0 {
            let other = format!("{body} canaryedit");
            store
                .message_correct(id, MessageKind::Text, &other, Timestamp(1))
                .expect("ok");
        }
    }
    store.draft_set(leila, "canarydraft").expect("it sets");
    store.commit().expect("it commits");
    let single = add(&store, &incoming(omid, "canarysingle"));
    add(&store, &incoming(omid, "stays"));
    store.checkpoint().expect("it empties the log");
    assert!(occurrences(folder.path(), b"canary") > 2_000);

    store.message_erase(single).expect("it erases");
    store.checkpoint().expect("it empties the log");
    assert_eq!(
        occurrences(folder.path(), b"canarysingle"),
        0,
        "one message"
    );

    store.conversation_erase(leila).expect("it erases");
    while store.tidy().expect("it tidies") {}
    store.checkpoint().expect("it empties the log");
    assert_eq!(occurrences(folder.path(), b"canary"), 0, "a conversation");
    assert_eq!(occurrences(folder.path(), b"anarytext"), 0, "its words");
    assert_eq!(found(&store, "stays"), ["stays"]);

    store.erase(&Erasure::All).expect("it erases");
    store.checkpoint().expect("it empties the log");
    assert_eq!(occurrences(folder.path(), b"stays"), 0, "everything");
}

#[test]
fn an_account_that_was_removed_leaves_its_history_or_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plain.db");
    let store = Store::open_file(&path, None).expect("it opens");
    for (erase, left) in [(false, 1), (true, 0)] {
        let account = account(&store);
        let secret = Secret::new("canarypassword".into());
        store
            .credential_set(account, &secret, Timestamp(1))
            .expect("it sets");
        let conversation = store
            .conversation_open(account, "leila@example.org")
            .expect("ok");
        add(&store, &incoming(conversation, "canaryhistory"));
        store.account_remove(account, erase).expect("it removes");
        while store.erase_step().expect("it erases") {}
        store.checkpoint().expect("it empties the log");
        assert!(store.accounts().expect("rows").is_empty());
        assert_eq!(occurrences(folder.path(), b"canarypassword"), 0);
        assert_eq!(
            found(&store, "canaryhistory").len(),
            left,
            "erased: {erase}"
        );
    }
    assert_eq!(occurrences(folder.path(), b"canaryhistory"), 0);
}

// ---- what an attacker or a bad disk changes --------------------------------------------------

const SENTENCE: &str = "the quick brown fox, number";

/// A closed profile of some 60 pages, and its bytes.
fn written_profile() -> (Profile, Vec<u8>) {
    let profile = Profile::new();
    let store = profile.open().expect("it opens");
    let account = account(&store);
    store.begin().expect("it begins");
    for contact in 0..20 {
        let jid = format!("person{contact}@example.org");
        let conversation = store.conversation_open(account, &jid).expect("it opens");
        for n in 0..10 {
            add(&store, &incoming(conversation, &format!("{SENTENCE} {n}")));
        }
    }
    store.commit().expect("it commits");
    store.close().expect("it closes");
    let bytes = fs::read(profile.database()).expect("it reads");
    (profile, bytes)
}

/// Opens what is there and reads all of it. What is read must be what was written.
fn read_everything(profile: &Profile) -> Result<usize> {
    let store = profile.open()?;
    let mut count = 0;
    for conversation in store.conversations(100)? {
        let page = store.message_page(conversation.id, Page::Newest, 100)?;
        for message in &page.messages {
            assert!(message.body.starts_with(SENTENCE), "wrong text");
        }
        count += page.messages.len();
    }
    store.contact_list()?;
    let found = store.search(&sotto_store::row::SearchQuery {
        text: "brown fox",
        conversation: None,
        before: None,
        limit: 200,
    })?;
    for hit in found.hits {
        assert!(hit.message.body.starts_with(SENTENCE), "wrong text");
    }
    Ok(count)
}

fn is_plain_word(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::WrongKey | StoreError::Damaged { .. } | StoreError::NotAProfile
    )
}

#[test]
fn s_store_02_a_flipped_bit_gives_an_error_or_the_right_text() {
    let (profile, whole) = written_profile();
    let flips = times("SOTTO_FLIPS", 600);
    let mut chance = Chance(0x1234_5678_9abc_def1);
    let mut refused = 0;
    for _ in 0..flips {
        let mut bent = whole.clone();
        let at = chance.below(bent.len());
        bent[at] ^= 1 << chance.below(8);
        fs::write(profile.database(), &bent).expect("it writes");
        match read_everything(&profile) {
            Ok(count) => assert_eq!(count, 200, "byte {at}"),
            Err(error) if is_plain_word(&error) => refused += 1,
            Err(error) => panic!("byte {at}: {error}"),
        }
    }
    assert!(refused > flips / 4, "{refused} of {flips}");
}

#[test]
fn s_store_02_pages_that_changed_places_are_noticed() {
    let (profile, whole) = written_profile();
    const PAGE: usize = 4096;
    let pages = whole.len() / PAGE;
    for (one, other) in (2..pages).zip(1..) {
        let mut bent = whole.clone();
        bent[one * PAGE..(one + 1) * PAGE]
            .copy_from_slice(&whole[other * PAGE..(other + 1) * PAGE]);
        fs::write(profile.database(), &bent).expect("it writes");
        match read_everything(&profile) {
            Ok(count) => assert_eq!(count, 200, "page {one}"),
            Err(error) => assert!(is_plain_word(&error), "page {one}: {error}"),
        }
    }
}

#[test]
fn s_store_13_r_data_04_mutated_and_cut_files_give_an_error_and_no_crash() {
    let (profile, whole) = written_profile();
    let mut chance = Chance(0xfeed_beef_dead_cafe);
    let wal = profile.dir.path().join("store.db-wal");
    for round in 0..times("SOTTO_MUTATIONS", 1_000) {
        let mut bent = whole.clone();
        match round % 5 {
            0 => bent.truncate(chance.below(whole.len())),
            1 => {
                for _ in 0..1 + chance.below(50) {
                    let at = chance.below(bent.len());
                    bent[at] = u8::try_from(chance.below(256)).unwrap_or(0);
                }
            }
            2 => {
                let at = chance.below(bent.len());
                let end = (at + chance.below(20_000)).min(bent.len());
                bent[at..end].fill(0);
            }
            3 => bent.extend((0..chance.below(9_000)).map(|n| n.to_le_bytes()[0])),
            _ => {
                // A foreign log beside a good file.
                let log: Vec<u8> = (0..chance.below(9_000))
                    .map(|_| chance.below(256).to_le_bytes()[0])
                    .collect();
                fs::write(&wal, log).expect("it writes");
            }
        }
        fs::write(profile.database(), &bent).expect("it writes");
        match read_everything(&profile) {
            // An empty file is a new store; anything else that opens holds all that is read from it.
            Ok(count) => assert!(count == 200 || bent.is_empty(), "round {round}: {count}"),
            Err(error) => assert!(is_plain_word(&error), "round {round}: {error}"),
        }
        fs::remove_file(&wal).ok();
    }
    fs::write(profile.database(), &whole).expect("it writes");
    assert_eq!(read_everything(&profile).expect("it opens as before"), 200);
}

#[test]
fn s_store_02_another_key_opens_nothing_and_changes_nothing() {
    let (profile, whole) = written_profile();
    let other = DatabaseKey::random().expect("random bytes");
    let opened = Store::open(&profile.dir, &other).err().expect("refused");
    assert!(matches!(opened, StoreError::WrongKey), "{opened}");
    assert_eq!(fs::read(profile.database()).expect("it reads"), whole);
}

// ---- a full or read-only medium --------------------------------------------------------------

/// A file system of its own in memory; absent where this may not be made (it takes root).
struct Medium(PathBuf);

impl Medium {
    fn new(folder: &Path, size: &str) -> Option<Self> {
        let path = folder.join("medium");
        fs::create_dir(&path).ok()?;
        let made = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size},mode=0700"),
                "tmpfs",
            ])
            .arg(&path)
            .stderr(Stdio::null())
            .status();
        made.is_ok_and(|status| status.success())
            .then_some(Self(path))
    }

    fn remount(&self, options: &str) {
        let done = Command::new("mount")
            .args(["-o", options])
            .arg(&self.0)
            .status();
        assert!(
            done.is_ok_and(|status| status.success()),
            "remount {options}"
        );
    }
}

impl Drop for Medium {
    fn drop(&mut self) {
        Command::new("umount").arg(&self.0).status().ok();
    }
}

/// A developer without the right to mount goes on without these tests; where all must run, that is a failure.
fn no_medium() {
    assert!(
        std::env::var_os("CI").is_none(),
        "a small file system could not be mounted, and these tests must not be passed over"
    );
}

#[test]
fn r_data_03_a_full_medium_is_told_reading_goes_on_and_it_passes() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(medium) = Medium::new(folder.path(), "2m") else {
        no_medium();
        return;
    };
    let dir = ProfileDir::open(&medium.0.join("profile")).expect("it opens");
    let key = DatabaseKey::random().expect("random bytes");
    let store = Store::open(&dir, &key).expect("it opens");
    let account = account(&store);
    let conversation = store
        .conversation_open(account, "leila@example.org")
        .expect("it opens");
    let text = "x".repeat(10_000);
    let mut kept = 0;
    let error = loop {
        match store.message_insert(&incoming(conversation, &text), Place::Newest) {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::DiskFull), "{error}");
    let count = || {
        store
            .message_page(conversation, Page::Newest, 500)
            .expect("a page")
            .messages
            .len()
    };
    assert_eq!(count(), kept);
    let job = KeyFile::create_job(&dir, Protection::None).run();
    assert!(job.is_err(), "no room for a key file either");

    medium.remount("remount,size=8m");
    store
        .message_insert(&incoming(conversation, &text), Place::Newest)
        .expect("it works again");
    assert_eq!(count(), kept + 1);
    store.check().expect("it is sound");
}

#[test]
fn r_data_03_a_read_only_medium_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(medium) = Medium::new(folder.path(), "8m") else {
        no_medium();
        return;
    };
    let dir = ProfileDir::open(&medium.0.join("profile")).expect("it opens");
    let key = DatabaseKey::random().expect("random bytes");
    Store::open(&dir, &key)
        .expect("it opens")
        .close()
        .expect("it closes");
    medium.remount("remount,ro");
    let opened = Store::open(&dir, &key).err().expect("refused");
    assert!(matches!(opened, StoreError::ReadOnly), "{opened:?}");
    medium.remount("remount,rw");
    Store::open(&dir, &key).expect("it opens again");
}

// ---- processes that die or compete -----------------------------------------------------------

/// Runs one test of this file again in a process of its own, as a helper.
fn child(test: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts")
}

const KILL_KEY: [u8; 32] = [0x5a; 32];

/// Writes messages as the engine does, and says of each that it is shown once it is committed.
fn write_until_killed(folder: &Path) {
    let dir = ProfileDir::open(folder).expect("it opens");
    let _lock = dir.lock().expect("it locks");
    let store = Store::open(&dir, &DatabaseKey::from_bytes(&KILL_KEY)).expect("it opens");
    let account = store
        .accounts()
        .expect("rows")
        .first()
        .map_or_else(|| account(&store), |account| account.id);
    let conversation = store
        .conversation_open(account, "leila@example.org")
        .expect("it opens");
    let mut next = store
        .message_last_own(conversation)
        .expect("a row")
        .map_or(0, |last| last.body.parse::<u64>().expect("a number") + 1);
    loop {
        store.begin_durable().expect("it begins");
        let message = add(&store, &outgoing(conversation, &next.to_string()));
        let outbox = store
            .outbox_add(&NewOutbox {
                account,
                message: Some(message),
                purpose: OutboxPurpose::Message,
                stanza_id: "s",
                xml: &"x".repeat(2_000),
                created: Timestamp(0),
            })
            .expect("it adds");
        store.commit().expect("it commits");
        println!("shown {next}");
        store.outbox_set_sequence(outbox, 1).expect("it sets");
        if next % 50 == 49 {
            store.outbox_settle(account, 1).expect("it settles");
            store.checkpoint().expect("it empties the log");
        }
        next += 1;
    }
}

#[test]
fn r_data_01_after_a_kill_at_any_moment_the_store_opens_with_all_that_was_shown() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        write_until_killed(Path::new(&folder));
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("profile");
    let mut chance = Chance(0x0bad_cafe_1234_5678);
    let mut shown: Option<u64> = None;
    let mut slowest = Duration::ZERO;
    for round in 0..times("SOTTO_KILLS", 25) {
        let mut writer = child(
            "r_data_01_after_a_kill_at_any_moment_the_store_opens_with_all_that_was_shown",
            &path,
        );
        let lines = BufReader::new(writer.stdout.take().expect("its output")).lines();
        // At a moment within the writing of some message; what it still says afterwards counts too.
        let last = chance.below(60);
        let mut seen = 0;
        let mut killed = false;
        for line in lines.map_while(std::io::Result::ok) {
            if let Some(number) = line
                .strip_prefix("shown ")
                .and_then(|text| text.parse().ok())
            {
                shown = Some(number);
                seen += 1;
            }
            if seen > last && !killed {
                std::thread::sleep(Duration::from_micros(
                    u64::try_from(chance.below(2_000)).unwrap_or(0),
                ));
                writer.kill().expect("it is killed");
                killed = true;
            }
        }
        writer.wait().expect("it ended");
        assert!(killed, "round {round}: it ended by itself");

        let dir = ProfileDir::open(&path).expect("it opens");
        let start = Instant::now();
        let store = Store::open(&dir, &DatabaseKey::from_bytes(&KILL_KEY)).expect("it opens");
        slowest = slowest.max(start.elapsed());
        let account = store.accounts().expect("rows")[0].id;
        let conversation = store
            .conversation_find(account, "leila@example.org")
            .expect("a row")
            .expect("it is");
        let mut page = store
            .message_page(conversation, Page::Newest, 500)
            .expect("a page");
        let newest: u64 = page
            .messages
            .last()
            .expect("one")
            .body
            .parse()
            .expect("a number");
        assert!(
            Some(newest) >= shown,
            "round {round}: {newest} of {shown:?}"
        );
        // In order, none lost, none doubled; each round looks at what is new.
        let mut expected = newest;
        while let Some(message) = page.messages.pop() {
            assert_eq!(message.body, expected.to_string(), "round {round}");
            expected = expected.saturating_sub(1);
        }
        let waiting = store.outbox(account).expect("rows");
        assert!(
            waiting.iter().all(|row| row.message.is_some()),
            "round {round}"
        );
        if round % 10 == 0 {
            store.check().expect("it is sound");
        }
        store.close().expect("it closes");
    }
    assert!(slowest < Duration::from_secs(2), "{slowest:?} to open");
}

#[test]
fn r_data_05_of_twenty_starts_at_once_exactly_one_becomes_the_owner() {
    const NAME: &str = "r_data_05_of_twenty_starts_at_once_exactly_one_becomes_the_owner";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let mut line = String::new();
        std::io::stdin()
            .read_line(&mut line)
            .expect("the signal to start");
        let dir = ProfileDir::open(Path::new(&folder)).expect("it opens");
        match dir.lock() {
            Ok(_lock) => {
                let key = DatabaseKey::from_bytes(&KILL_KEY);
                let store = Store::open(&dir, &key).expect("it opens");
                store
                    .setting_set("owner", &std::process::id())
                    .expect("it writes");
                println!("owner");
                // Holds it until the others have tried.
                std::io::stdin()
                    .read_line(&mut line)
                    .expect("the signal to end");
            }
            Err(StoreError::InUse) => println!("in use"),
            Err(error) => println!("{error}"),
        }
        return;
    }
    for round in 0..times("SOTTO_STARTS", 4) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("profile");
        let mut starts: Vec<Child> = (0..20).map(|_| child(NAME, &path)).collect();
        let mut outputs = Vec::new();
        for start in &mut starts {
            use std::io::Write;
            start
                .stdin
                .as_mut()
                .expect("its input")
                .write_all(b"go\n")
                .expect("it hears");
            outputs.push(BufReader::new(start.stdout.take().expect("its output")));
        }
        let verdicts: Vec<String> = outputs
            .into_iter()
            .map(|output| {
                let mut lines = output.lines().map_while(std::io::Result::ok);
                let verdict =
                    lines.find(|line| line.ends_with("owner") || line.ends_with("in use"));
                verdict
                    .map_or("nothing", |line| {
                        if line.ends_with("owner") {
                            "owner"
                        } else {
                            "in use"
                        }
                    })
                    .to_owned()
            })
            .collect();
        for start in &mut starts {
            drop(start.stdin.take());
            start.wait().expect("it ends");
        }
        let count = |word| verdicts.iter().filter(|verdict| *verdict == word).count();
        assert_eq!(
            (count("owner"), count("in use")),
            (1, 19),
            "round {round}: {verdicts:?}"
        );
    }
}
