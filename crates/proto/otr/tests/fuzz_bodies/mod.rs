//! What each fuzz target runs; shared by `testing/fuzz` and by the plain tests beside this folder.
//!
//! Each takes any bytes, must not panic, and asserts what must hold for every input.
#![allow(dead_code, reason = "each user takes its own part")]

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use sotto_otr::{Config, Conversation, Env, Event, InstanceTag, Keypair, State};

/// A small generator (xorshift64), so that every run is the same.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        bytes
            .iter_mut()
            .for_each(|byte| *byte = self.next().to_le_bytes()[3]);
    }
}

fn keypair() -> &'static Keypair {
    static KEY: OnceLock<Keypair> = OnceLock::new();
    KEY.get_or_init(|| {
        let mut random = Random(5);
        Keypair::generate(&mut |bytes: &mut [u8]| random.fill(bytes))
    })
}

fn config() -> Config {
    Config {
        v2: true,
        offer: true,
        fragment: Some(200),
        ..Config::default()
    }
}

fn start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

fn conversation(tag: u32) -> Conversation {
    Conversation::new(InstanceTag::new(tag).expect("a literal tag"))
}

/// Calls with everything lent, then takes what was queued.
fn act(
    conversation: &mut Conversation,
    now: Instant,
    random: &mut Random,
    act: impl FnOnce(&mut Conversation, &mut Env<'_>),
) -> Vec<String> {
    let (config, mut fill) = (config(), |bytes: &mut [u8]| random.fill(bytes));
    act(
        conversation,
        &mut Env {
            keypair: keypair(),
            config: &config,
            now,
            random: &mut fill,
        },
    );
    let mut sent = Vec::new();
    while let Some(event) = conversation.poll_event() {
        if let Event::PeerError { text } = &event {
            assert!(text.chars().count() <= 256);
        }
        if let Event::Transmit { text, .. } = event {
            sent.push(text);
        }
    }
    assert!(conversation.instances().len() <= 8);
    sent
}

/// Target `otr_receive`: each line is a body, read by a program that has just begun an exchange.
pub fn fuzz_receive(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut ours = conversation(0x100);
    let mut random = Random(11);
    act(&mut ours, start(), &mut random, |ours, env| {
        ours.receive(env, "a@b/c", "?OTRv23?")
    });
    for line in text.lines() {
        let sent = act(&mut ours, start(), &mut random, |ours, env| {
            ours.receive(env, "a@b/c", line)
        });
        assert!(sent.len() < 64);
    }
    // Nobody has the key of an honest peer by chance.
    assert!(
        ours.instances()
            .iter()
            .all(|view| view.state != State::Private)
    );
    assert!(Conversation::from_bytes(&ours.to_bytes()).is_ok());
    let _ = Conversation::from_bytes(data);
}

/// Target `otr_session`: the bytes choose what two programs do, and what the network does to it.
pub fn fuzz_session(data: &[u8]) {
    let mut sides = [conversation(0x100), conversation(0x200)];
    let mut lines: [Vec<String>; 2] = Default::default();
    let mut random = Random(13);
    let mut now = start();
    let addresses = ["a@b/c", "d@e/f"];
    for pair in data.chunks(2).take(64) {
        let (choice, value) = (pair[0], pair.get(1).copied().unwrap_or(0));
        let at = usize::from(choice >> 7);
        let ids = sides[at].instances();
        let id = ids.first().map(|view| view.id.clone());
        let sent = act(&mut sides[at], now, &mut random, |side, env| {
            match (choice & 0x0f, id) {
                (0, _) => side.start(env, None),
                (1, Some(id)) => drop(side.send(env, &id, "text")),
                (2, Some(id)) => side.end(env, &id),
                (3, Some(id)) => drop(side.smp_start(env, &id, None, &[value])),
                (4, Some(id)) => drop(side.smp_answer(env, &id, &[value])),
                (5, Some(id)) => drop(side.smp_abort(env, &id)),
                (6, Some(id)) => drop(side.refresh(env, &id)),
                (7, Some(id)) => side.forget_finished(&id),
                (8, _) => *side = Conversation::from_bytes(&side.to_bytes()).expect("own state"),
                _ => {}
            }
        });
        lines[1 - at].extend(sent);
        match choice & 0x0f {
            9 => now += Duration::from_secs(u64::from(value)),
            10 => drop(lines[at].pop()),
            11 => {
                if let Some(last) = lines[at].last_mut() {
                    let place = usize::from(value) % last.len().max(1);
                    if last.is_char_boundary(place) && last.is_char_boundary(place + 1) {
                        last.replace_range(place..=place, "A");
                    }
                }
            }
            _ => {
                for line in std::mem::take(&mut lines[at]) {
                    let from = addresses[1 - at];
                    let sent = act(&mut sides[at], now, &mut random, |side, env| {
                        side.receive(env, from, &line);
                        side.handle_timeout(env);
                    });
                    lines[1 - at].extend(sent);
                }
            }
        }
    }
}
