//! The store at the size of a long life: 1,000,000 messages in 1,000 conversations, one of them of
//! 100,000, and 5,000 contacts; the sealed store beside plain SQLite, same schema, same code, same run.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml --bin store -- [messages] [folder]`

mod corpus;
mod fill;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use corpus::{CHINESE, RARE};
use fill::{CONVERSATIONS, Server};
use sotto_api::view::{Availability, Delivery, Direction, MessageKind, Privacy};
use sotto_api::{AccountId, ConversationId, Timestamp};
use sotto_store::row::{
    NewMessage, NewOutbox, OutboxPurpose, Page, Place, PresenceRow, RosterItem, SearchQuery,
};
use sotto_store::{DatabaseKey, Result, Store};

const CONTACTS: usize = 5_000;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let messages = arguments
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000_000);
    let folder = arguments
        .next()
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(folder).expect("a folder to work in");
    let key = DatabaseKey::random().expect("random bytes");

    let plain = run(&folder.path().join("plain.db"), None, messages)?;
    let sealed = run(&folder.path().join("sealed.db"), Some(&key), messages)?;
    println!(
        "\n{messages} messages, {CONVERSATIONS} conversations, one of {}, {CONTACTS} contacts\n",
        messages / 10
    );
    println!(
        "{:<44} {:>12} {:>12} {:>9}",
        "", "plain", "sealed", "budget"
    );
    for (plain, sealed) in plain.iter().zip(&sealed) {
        println!(
            "{:<44} {:>12} {:>12} {:>9}",
            plain.what, plain.figure, sealed.figure, plain.budget
        );
    }
    Ok(())
}

struct Line {
    what: String,
    figure: String,
    budget: &'static str,
}

struct Report(Vec<Line>);

impl Report {
    fn add(&mut self, what: impl Into<String>, figure: String, budget: &'static str) {
        let line = Line {
            what: what.into(),
            figure,
            budget,
        };
        eprintln!("  {:<44} {}", line.what, line.figure);
        self.0.push(line);
    }

    fn time(&mut self, what: impl Into<String>, time: Duration, budget: &'static str) {
        self.add(what, milliseconds(time), budget);
    }
}

fn run(path: &Path, key: Option<&DatabaseKey>, messages: u64) -> Result<Vec<Line>> {
    eprintln!("{}", path.display());
    let mut report = Report(Vec::new());
    let store = Store::open_file(path, key)?;
    let account = fill::account(&store, "sara@example.org", &Server::default())?;
    let people = fill::people(CONTACTS);
    let start = Instant::now();
    store.roster_replace(account, &people, Some("1"))?;
    report.time("roster of 5,000, first time", start.elapsed(), "");
    let start = Instant::now();
    store.roster_replace(account, &people, Some("2"))?;
    report.time("roster of 5,000, again", start.elapsed(), "");
    presence(&store, account, &people)?;
    let start = Instant::now();
    let conversations = fill::messages(&store, account, messages)?;
    let rate = messages as f64 / start.elapsed().as_secs_f64();
    report.add("insert, 1,000 a transaction", format!("{rate:.0} /s"), "");
    let large = conversations[0];

    // One message of the person's own, as the engine writes it: message and outbox, on the medium.
    let times = repeat(200, || {
        store.begin_durable()?;
        let message = store
            .message_insert(&own(large, "see you at the station at five"), Place::Newest)?
            .id();
        store.outbox_add(&NewOutbox {
            account,
            message: Some(message),
            purpose: OutboxPurpose::Message,
            stanza_id: "b3f1",
            xml: "<message/>",
            created: Timestamp(0),
        })?;
        store.commit()
    })?;
    report.time("one own message with outbox, durable", median(times), "");
    let times = repeat(200, || {
        store.message_insert(&own(large, "see you at the station at five"), Place::Newest)?;
        Ok(())
    })?;
    report.time(
        "one message, its own transaction, worst of 200",
        times.iter().copied().max().unwrap_or_default(),
        "",
    );
    report.time(
        "one message, its own transaction, median",
        median(times),
        "",
    );
    store.close()?;
    let size = std::fs::metadata(path).map_or(0, |found| found.len());
    report.add("file", format!("{} MiB", size >> 20), "");

    // Each figure below starts from a closed store: nothing decrypted is in memory.
    let start = Instant::now();
    let store = Store::open_file(path, key)?;
    let opened = start.elapsed();
    store.conversation(large)?;
    let page = store.message_page(large, Page::Newest, 60)?;
    report.time("open the store", opened, "");
    report.time(
        "open it and a conversation of 100,000",
        start.elapsed(),
        "30 ms",
    );
    let mut first = page.messages[0].id;
    let mut times = Vec::new();
    for _ in 0..200 {
        let start = Instant::now();
        let page = store.message_page(large, Page::Before(first), 60)?;
        times.push(start.elapsed());
        let Some(oldest) = page.messages.first() else {
            break;
        };
        first = oldest.id;
    }
    report.time(
        "page of 60 while scrolling, worst of 200",
        times.iter().copied().max().unwrap_or_default(),
        "16 ms",
    );
    report.time("page of 60 while scrolling, median", median(times), "16 ms");
    let start = Instant::now();
    store.contact_list()?;
    report.time("contact list of 5,000, first", start.elapsed(), "");
    report.time(
        "contact list of 5,000, again",
        median(repeat(5, || store.contact_list().map(drop))?),
        "",
    );
    report.time(
        "50 newest conversations",
        median(repeat(5, || store.conversations(50).map(drop))?),
        "",
    );
    store.close()?;

    let small = conversations[500];
    let searches: [(&str, &str, Option<ConversationId>); 11] = [
        ("a rare word", RARE, None),
        ("a common word", "wave", None),
        ("two words", "wave stone", None),
        ("a word and a rare one", &format!("wave {RARE}"), None),
        ("a beginning of 2 letters", "wa", None),
        ("a beginning of 4 letters", "ston", None),
        ("a rare beginning", &RARE[..9], None),
        ("two Chinese characters", &CHINESE[..6], None),
        ("four Chinese characters", CHINESE, None),
        ("a common word in one conversation", "wave", Some(small)),
        ("a word that is nowhere", "xylographer", None),
    ];
    for (name, text, conversation) in searches {
        let store = Store::open_file(path, key)?;
        let query = SearchQuery {
            text,
            conversation,
            before: None,
            limit: 50,
        };
        let start = Instant::now();
        let found = store.search(&query)?;
        let first = start.elapsed();
        let again = median(repeat(5, || store.search(&query).map(drop))?);
        report.add(
            format!("search {name}, first / again ({})", found.hits.len()),
            format!("{} / {}", milliseconds(first), milliseconds(again)),
            "20 ms",
        );
        store.close()?;
    }
    report.add(
        "peak memory of the process so far",
        format!("{} MiB", peak_memory_kib() >> 10),
        "",
    );

    let store = Store::open_file(path, key)?;
    let start = Instant::now();
    store.conversation_erase(conversations[1])?;
    report.time("erase a conversation of 900", start.elapsed(), "");
    let start = Instant::now();
    store.conversation_erase(large)?;
    report.time("erase the conversation of 100,000", start.elapsed(), "");
    let start = Instant::now();
    let mut slices = Vec::new();
    loop {
        let start = Instant::now();
        let more = store.tidy()?;
        slices.push(start.elapsed());
        if !more {
            break;
        }
    }
    let worst = slices.iter().copied().max().unwrap_or_default();
    report.add(
        "tidy the index after it, in slices",
        format!(
            "{} ({} of at most {})",
            milliseconds(start.elapsed()),
            slices.len(),
            milliseconds(worst)
        ),
        "",
    );
    let start = Instant::now();
    store.checkpoint()?;
    report.time("empty the log after it", start.elapsed(), "");
    Ok(report.0)
}

/// Every second one is online.
fn presence(store: &Store, account: AccountId, people: &[RosterItem]) -> Result<()> {
    store.begin()?;
    for item in people.iter().step_by(2) {
        store.presence_set(
            account,
            &PresenceRow {
                jid: item.jid.clone(),
                resource: "desk".into(),
                availability: Availability::Available,
                status: String::new(),
                priority: 0,
                caps: None,
                at: Timestamp(0),
            },
        )?;
    }
    store.commit()
}

fn own(conversation: ConversationId, body: &str) -> NewMessage<'_> {
    NewMessage {
        conversation,
        direction: Direction::Outgoing,
        kind: MessageKind::Text,
        body,
        at: Timestamp(i64::MAX / 2),
        received_at: Timestamp(0),
        delivery: Some(Delivery::Waiting),
        privacy: Privacy::ServerOnly,
        origin_id: Some("b3f1"),
        message_id: Some("b3f1"),
        archive_id: None,
        sender: "sara@example.org/desk",
        unread: false,
        kept: true,
        notice: None,
    }
}

fn repeat(times: usize, mut work: impl FnMut() -> Result<()>) -> Result<Vec<Duration>> {
    (0..times)
        .map(|_| {
            let start = Instant::now();
            work()?;
            Ok(start.elapsed())
        })
        .collect()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1000.0;
    if milliseconds < 10.0 {
        format!("{milliseconds:.2} ms")
    } else {
        format!("{milliseconds:.0} ms")
    }
}

fn peak_memory_kib() -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
            line.split_whitespace().nth(1)?.parse().ok()
        })
        .unwrap_or(0)
}
