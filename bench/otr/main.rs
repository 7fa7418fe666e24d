//! Private conversations: `sotto-otr` beside libotr, in one run, both sides of a conversation in one process each.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml --bin otr -- LIBOTR-DRIVER [rounds]`

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use sotto_otr::{
    Config, Conversation, Env, Event, InstanceId, InstanceTag, Keypair, SmpEvent, State,
};

/// At most this much of libotr's time.
const BUDGET: f64 = 1.5;
const TEXT: &str = "The quick brown fox jumps over the lazy dog, and then it rests for a while.";
const SECRET: &[u8] = b"the same secret";
const ADDRESSES: [&str; 2] = ["a@bench.example/x", "b@bench.example/x"];

/// What is measured, and how often in one round.
const KINDS: [(&str, usize); 5] = [
    ("keygen", 20),
    ("ake", 20),
    ("one-way", 2_000),
    ("ping-pong", 50),
    ("smp", 3),
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(driver) = arguments.next() else {
        eprintln!("usage: otr LIBOTR-DRIVER [rounds]");
        return ExitCode::from(2);
    };
    let rounds: usize = arguments
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(5);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load {}\n", load.trim());
    println!("| | times | libotr, ms | sotto-otr, ms | ratio | budget {BUDGET} |");
    println!("| --- | ---: | ---: | ---: | ---: | --- |");
    let mut libotr = Libotr::start(&driver);
    for (kind, count) in KINDS {
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        // In turns, so that what else the machine does touches both.
        for _ in 0..rounds {
            theirs.extend(libotr.times(kind, count));
            ours.extend(times(kind, count));
        }
        let times = ours.len();
        let (theirs, ours) = (median(theirs), median(ours));
        let ratio = ours / theirs;
        let kept = if ratio <= BUDGET { "kept" } else { "not kept" };
        println!("| {kind} | {times} | {theirs:.4} | {ours:.4} | {ratio:.2} | {kept} |");
    }
    ExitCode::SUCCESS
}

/// Milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1_000.0
}

/// The driver of the live suite, which measures inside.
struct Libotr {
    child: std::process::Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Libotr {
    fn start(program: &str) -> Self {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the libotr driver; make -C bench otr builds it");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, output }
    }

    fn times(&mut self, kind: &str, count: usize) -> Vec<Duration> {
        let input = self.child.stdin.as_mut().expect("a pipe");
        writeln!(input, "bench {kind} {count}").expect("libotr listens");
        let mut lines = (&mut self.output).lines();
        let times = lines.next().expect("libotr answers").expect("text");
        let end = lines.next().expect("libotr answers").expect("text");
        assert_eq!(end, "done", "libotr on {kind}");
        let times = times.split(' ').skip(1);
        times
            .map(|word| Duration::from_nanos(word.parse().expect("a number")))
            .collect()
    }
}

impl Drop for Libotr {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("random bytes");
}

/// Two of ours who talk to each other.
struct Pair {
    keys: [Keypair; 2],
    talks: [Conversation; 2],
    config: Config,
    read: usize,
    verified: usize,
}

impl Pair {
    fn new() -> Self {
        let talk = || Conversation::new(InstanceTag::generate(&mut random));
        Self {
            keys: [
                Keypair::generate(&mut random),
                Keypair::generate(&mut random),
            ],
            talks: [talk(), talk()],
            config: Config::default(),
            read: 0,
            verified: 0,
        }
    }

    fn act<T>(&mut self, side: usize, act: impl FnOnce(&mut Conversation, &mut Env<'_>) -> T) -> T {
        let mut source = random;
        let mut env = Env {
            keypair: &self.keys[side],
            config: &self.config,
            now: Instant::now(),
            random: &mut source,
        };
        act(&mut self.talks[side], &mut env)
    }

    /// Brings what either wants sent, until both are silent.
    fn settle(&mut self) {
        loop {
            let mut silent = true;
            for side in [0, 1] {
                while let Some(event) = self.talks[side].poll_event() {
                    silent = false;
                    match event {
                        Event::Transmit { text, .. } => {
                            self.act(1 - side, |talk, env| {
                                talk.receive(env, ADDRESSES[side], &text)
                            });
                        }
                        Event::Message { text, .. } => {
                            assert_eq!(text, TEXT);
                            self.read += 1;
                        }
                        Event::Smp {
                            instance,
                            event: SmpEvent::Asked { .. },
                        } => self
                            .act(side, |talk, env| talk.smp_answer(env, &instance, SECRET))
                            .expect("an answer"),
                        Event::Smp {
                            event: SmpEvent::Succeeded,
                            ..
                        } => self.verified += 1,
                        _ => {}
                    }
                }
            }
            if silent {
                return;
            }
        }
    }

    fn private(&mut self) {
        self.act(0, |talk, env| talk.start(env, None));
        self.settle();
    }

    fn session(&self, side: usize) -> InstanceId {
        let mut views = self.talks[side].instances().into_iter();
        views
            .find(|view| view.state == State::Private)
            .expect("a session")
            .id
    }
}

fn times(kind: &str, count: usize) -> Vec<Duration> {
    if kind == "keygen" {
        let one = |_| {
            let begun = Instant::now();
            std::hint::black_box(Keypair::generate(&mut random));
            begun.elapsed()
        };
        return (0..count).map(one).collect();
    }
    let mut pair = Pair::new();
    pair.private();
    let (a, b) = (pair.session(0), pair.session(1));
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        if kind == "ake" {
            // A conversation that knows of nothing: one start a minute is answered otherwise.
            pair.talks = [0, 1].map(|_| Conversation::new(InstanceTag::generate(&mut random)));
        }
        let begun = Instant::now();
        match kind {
            "ake" => pair.private(),
            "smp" => {
                pair.act(0, |talk, env| talk.smp_start(env, &a, None, SECRET))
                    .expect("a check");
                pair.settle();
            }
            _ => {
                pair.act(0, |talk, env| talk.send(env, &a, TEXT))
                    .expect("a message");
                pair.settle();
                if kind == "ping-pong" {
                    pair.act(1, |talk, env| talk.send(env, &b, TEXT))
                        .expect("a message");
                    pair.settle();
                }
            }
        }
        times.push(begun.elapsed());
    }
    let _ = (pair.session(0), pair.session(1));
    match kind {
        "one-way" => assert_eq!(pair.read, count),
        "ping-pong" => assert_eq!(pair.read, 2 * count),
        "smp" => assert_eq!(pair.verified, 2 * count),
        _ => {}
    }
    times
}
