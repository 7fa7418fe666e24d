//! The live suite: real `sotto-cli rpc` processes, slixmpp and Profanity, through Prosody and ejabberd.
//!
//! ```text
//! sotto-live [--server prosody|ejabberd] [--only WORDS] [--jobs N] [--seed N] [--list]
//! sotto-live lab
//! sotto-live g01 [--messages N] [--cuts N] [--kills N] [--server …] [--seed N]
//! ```
//!
//! Every case starts what it needs, waits for events with deadlines, and cleans up. A missing server or a missing
//! program is a failure: a suite that could not run has not passed. The last line is `N passed, N failed`.

#![forbid(unsafe_code)]

mod capture;
mod cases;
mod foreign;
mod libotr;
mod peer;
mod profanity;
mod server;
mod sotto;
mod world;

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use sotto_testkit::rpc::{Failure, Step};

use crate::cases::Case;
use crate::server::{Kind, Options, Server};
use crate::world::{PASSWORD, Tools, World};

const USAGE: &str = "usage: sotto-live [g01|lab] [--server prosody|ejabberd] [--only WORDS] [--jobs N] [--seed N] \
                     [--list] [--messages N] [--cuts N] [--kills N]";

/// What was asked for.
struct Plan {
    kinds: Vec<Kind>,
    only: Option<String>,
    jobs: usize,
    seed: u64,
    list: bool,
    lab: bool,
    g01: Option<cases::g01::Figures>,
}

fn main() -> ExitCode {
    let plan = match plan(std::env::args().skip(1).collect()) {
        Ok(plan) => plan,
        Err(words) => {
            eprintln!("{words}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if plan.lab {
        return match lab() {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                eprintln!("{failure}");
                ExitCode::FAILURE
            }
        };
    }
    let cases = chosen(&plan);
    if plan.list {
        for (kind, case) in &cases {
            println!("{}: {}", kind.name(), case.name);
        }
        return ExitCode::SUCCESS;
    }
    println!("seed {}", plan.seed);
    let (passed, failed) = match run(&plan, cases) {
        Ok(counts) => counts,
        Err(failure) => {
            println!("FAIL the suite could not start: {failure}");
            (0, 1)
        }
    };
    println!("{passed} passed, {failed} failed");
    if failed == 0 && passed > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// A server to play with, until Enter is pressed or the input ends.
fn lab() -> Step {
    let tools = Tools::find()?;
    let server = tools.server(Kind::Prosody, Options::default(), &tools.authority)?;
    println!("A Prosody runs on this computer, with these accounts (password: {PASSWORD}):");
    for name in ["sara", "leila"] {
        server.add_account(name, PASSWORD)?;
        println!("    {name}@{}", server.domain);
    }
    println!(
        "Give both this server on the advanced page: host 127.0.0.1, port {}.\n\
         Sotto asks about the certificate, since nobody vouches for it, unless it is started with\n    \
         SSL_CERT_FILE={}\nPress Enter to end the server.",
        server.starttls().port(),
        tools.ca.display()
    );
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}

fn chosen(plan: &Plan) -> VecDeque<(Kind, Case)> {
    let all = match plan.g01 {
        Some(figures) => vec![cases::g01::case(figures)],
        None => cases::all(),
    };
    let mut chosen = VecDeque::new();
    for case in all {
        for &kind in &plan.kinds {
            let named = format!("{}: {}", kind.name(), case.name);
            if case.kinds.contains(&kind)
                && plan.only.as_ref().is_none_or(|only| named.contains(only))
            {
                chosen.push_back((kind, case.clone()));
            }
        }
    }
    chosen
}

fn run(plan: &Plan, cases: VecDeque<(Kind, Case)>) -> Step<(usize, usize)> {
    let mut tools = Tools::find()?;
    let started = Instant::now();
    let servers = plan
        .kinds
        .iter()
        .map(|&kind| tools.server(kind, Options::default(), &tools.authority))
        .collect::<Step<Vec<Server>>>()?;
    let queue = Mutex::new(cases);
    let counts = Mutex::new((0, 0));
    thread::scope(|scope| {
        for _ in 0..plan.jobs {
            scope.spawn(|| {
                loop {
                    // A statement of its own: the queue must not stay locked while the case runs.
                    let next = lock(&queue).pop_front();
                    let Some((kind, case)) = next else { return };
                    let Some(server) = servers.iter().find(|s| s.kind == kind) else {
                        continue;
                    };
                    let world = World {
                        tools: &tools,
                        kind,
                        server,
                        seed: plan.seed,
                    };
                    let begun = Instant::now();
                    let result = guarded(|| (case.run)(&world));
                    let mut counts = lock(&counts);
                    let seconds = begun.elapsed().as_secs_f32();
                    match result {
                        Ok(()) => {
                            counts.0 += 1;
                            println!("PASS [{seconds:7.2}s] {}: {}", kind.name(), case.name);
                        }
                        Err(failure) => {
                            counts.1 += 1;
                            println!(
                                "FAIL [{seconds:7.2}s] {}: {}\n      {failure}",
                                kind.name(),
                                case.name
                            );
                        }
                    }
                }
            });
        }
    });
    let (passed, failed) = *lock(&counts);
    if failed > 0 {
        for server in &servers {
            println!(
                "the end of what {} logged:\n{}",
                server.kind.name(),
                server.log_tail()
            );
        }
        println!("state was kept in {}", tools.keep().display());
    }
    println!("live suite: {:.0} s", started.elapsed().as_secs_f32());
    Ok((passed, failed))
}

/// Runs one case; a panic in it is its failure, not the suite's end.
fn guarded(case: impl FnOnce() -> Step) -> Step {
    catch_unwind(AssertUnwindSafe(case))
        .unwrap_or_else(|panic| Err(Failure::new(words_of(&*panic))))
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|&s| s.to_owned()))
        .unwrap_or_else(|| "it panicked".to_owned())
}

fn plan(words: Vec<String>) -> Result<Plan, String> {
    let mut plan = Plan {
        kinds: vec![Kind::Prosody, Kind::Ejabberd],
        only: None,
        jobs: 4,
        seed: fresh_seed(),
        list: false,
        lab: false,
        g01: None,
    };
    let mut words = words.into_iter();
    let mut figures = cases::g01::Figures::FULL;
    let mut g01 = false;
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "g01" => g01 = true,
            "lab" => plan.lab = true,
            "--list" => plan.list = true,
            "--only" => plan.only = Some(value()?),
            "--server" => {
                plan.kinds = match value()?.as_str() {
                    "prosody" => vec![Kind::Prosody],
                    "ejabberd" => vec![Kind::Ejabberd],
                    other => return Err(format!("there is no server {other}")),
                }
            }
            "--jobs" => plan.jobs = number::<usize>(&value()?)?.max(1),
            "--seed" => plan.seed = number(&value()?)?,
            "--messages" => figures.messages = number(&value()?)?,
            "--cuts" => figures.cuts = number(&value()?)?,
            "--kills" => figures.kills = number(&value()?)?,
            other => return Err(format!("{other} is not known")),
        }
    }
    if g01 {
        plan.g01 = Some(figures);
    }
    Ok(plan)
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text} is not a number"))
}

fn fresh_seed() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(1, |d| d.as_secs())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
