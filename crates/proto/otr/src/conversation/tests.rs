//! Two conversations against each other, on a virtual clock with seeded randomness.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::*;
use crate::event::{SmpEvent, SmpState, TextRef};
use crate::{Keypair, SmpRefused};

mod checks;
mod exchange;
mod lost;
mod security;

/// A small generator (xorshift64*), so that every run is the same.
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % limit.max(1)
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

fn keys() -> &'static [Keypair; 2] {
    static KEYS: OnceLock<[Keypair; 2]> = OnceLock::new();
    KEYS.get_or_init(|| {
        let mut random = Seeded(7);
        let mut fill = |bytes: &mut [u8]| random.fill(bytes);
        [Keypair::generate(&mut fill), Keypair::generate(&mut fill)]
    })
}

/// A program of a person.
struct Side {
    conversation: Conversation,
    config: Config,
    key: usize,
    address: String,
    random: Seeded,
    now: Instant,
    /// Bodies that wait to be delivered, and everything else that was reported.
    out: Vec<(Option<String>, String, TransmitKind)>,
    seen: Vec<Event>,
}

impl Side {
    fn new(key: usize, address: &str, config: &Config) -> Self {
        #[allow(
            clippy::disallowed_methods,
            reason = "a virtual clock begins at some instant"
        )]
        static START: OnceLock<Instant> = OnceLock::new();
        let mut random = Seeded(
            address
                .bytes()
                .fold(99, |sum: u64, byte| sum.wrapping_mul(31) ^ u64::from(byte)),
        );
        let tag = InstanceTag::generate(&mut |bytes| random.fill(bytes));
        #[allow(
            clippy::disallowed_methods,
            reason = "a virtual clock begins at some instant"
        )]
        let now = *START.get_or_init(Instant::now);
        Self {
            conversation: Conversation::new(tag),
            config: config.clone(),
            key,
            address: address.to_owned(),
            random,
            now,
            out: Vec::new(),
            seen: Vec::new(),
        }
    }

    fn act<T>(&mut self, act: impl FnOnce(&mut Conversation, &mut Env<'_>) -> T) -> T {
        let mut random = |bytes: &mut [u8]| self.random.fill(bytes);
        let mut env = Env {
            keypair: &keys()[self.key],
            config: &self.config,
            now: self.now,
            random: &mut random,
        };
        let result = act(&mut self.conversation, &mut env);
        while let Some(event) = self.conversation.poll_event() {
            match event {
                Event::Transmit { to, text, kind } => self.out.push((to, text, kind)),
                other => self.seen.push(other),
            }
        }
        result
    }

    fn receive(&mut self, from: &str, text: &str) {
        self.act(|conversation, env| conversation.receive(env, from, text));
    }

    fn start(&mut self) {
        self.act(|conversation, env| conversation.start(env, None));
    }

    fn send(&mut self, text: &str) {
        let id = self.id();
        self.act(|conversation, env| conversation.send(env, &id, text))
            .unwrap();
    }

    /// The instance that is private.
    fn id(&self) -> InstanceId {
        let views = self.conversation.instances();
        views
            .into_iter()
            .find(|view| view.state == State::Private)
            .expect("a session")
            .id
    }

    fn view(&self) -> InstanceView {
        self.conversation.instances().pop().expect("an instance")
    }

    fn texts(&mut self) -> Vec<String> {
        let take = |event: Event| match event {
            Event::Message { text, .. } => Some(text),
            _ => None,
        };
        std::mem::take(&mut self.seen)
            .into_iter()
            .filter_map(take)
            .collect()
    }

    fn restart(&mut self) {
        self.conversation = Conversation::from_bytes(&self.conversation.to_bytes()).unwrap();
    }
}

/// Delivers until nothing moves.
fn run(sides: &mut [Side]) {
    for _ in 0..1_000 {
        let mut moved = false;
        for from in 0..sides.len() {
            for (to, text, _) in std::mem::take(&mut sides[from].out) {
                moved = true;
                let (address, key) = (sides[from].address.clone(), sides[from].key);
                for side in sides.iter_mut().filter(|side| side.key != key) {
                    if to.as_ref().is_none_or(|to| *to == side.address) {
                        side.receive(&address, &text);
                    }
                }
            }
        }
        if !moved {
            return;
        }
    }
    panic!("the two never come to rest");
}

fn pair(config: &Config) -> [Side; 2] {
    [
        Side::new(0, "romeo@a.example/x", config),
        Side::new(1, "julia@b.example/y", config),
    ]
}

fn private(config: &Config) -> [Side; 2] {
    let mut sides = pair(config);
    sides[0].start();
    run(&mut sides);
    assert!(sides.iter().all(|side| side.view().state == State::Private));
    sides.iter_mut().for_each(|side| side.seen.clear());
    sides
}

fn v2() -> Config {
    Config {
        v2: true,
        v3: false,
        ..Config::default()
    }
}
