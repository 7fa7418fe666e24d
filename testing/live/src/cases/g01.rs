//! G-01: messages both ways across random link cuts and kills: none lost, none doubled, in order.
//!
//! Each side has a driver of its own that writes its messages one after the other and breaks things at places
//! chosen by the seed: it cuts its own link, or kills its own program right behind a request. A fault waits until
//! the account is online, so that each one really hits a live stream. At the end both histories and the archive
//! on the server must hold every message of either side exactly once, in order.
//!
//! One exception, seen in ejabberd's log and in our own trace: when ejabberd 23 hands a session over to a resumed
//! stream, it still routes what lay in the old connection after it has told the count, so that the sender must
//! repeat it; and messages that it is just routing again are archived once more, and can leave it behind newer
//! ones. Such a double has two ids in the archive and is two messages to any client. There, what is received must
//! be complete, and nothing may stand twice that the server did not deliver twice. What was written stays strict.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::json;
use sotto_api::view::{AccountState, Delivery, Direction, MessageView};
use sotto_api::{ConversationId, Request};
use sotto_testkit::relay::{Cut, Relay};
use sotto_testkit::rpc::{Failure, Step};

use super::links::signed_in_through;
use super::{BOTH, Case, ensure};
use crate::peer::Peer;
use crate::server::Kind;
use crate::sotto::{LATER, Sotto, befriend};
use crate::world::{PASSWORD, World};

/// How much of everything, both sides together for cuts and kills.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Messages each way.
    pub messages: usize,
    /// Link cuts.
    pub cuts: usize,
    /// SIGKILLs.
    pub kills: usize,
}

impl Figures {
    /// Security.md's figure.
    pub const FULL: Self = Self {
        messages: 10_000,
        cuts: 200,
        kills: 50,
    };
    /// What every run of the tests does.
    pub const SCALED: Self = Self {
        messages: 1_000,
        cuts: 20,
        kills: 10,
    };
}

/// The longest wait for the last messages at the end.
const LAST_LIMIT: Duration = Duration::from_secs(300);

/// The case with these figures.
pub fn case(figures: Figures) -> Case {
    Case {
        name: "g_01: across cuts and kills nothing is lost, nothing doubled, and the order holds",
        kinds: BOTH,
        run: Arc::new(move |world| {
            run(world, figures)
                .map_err(|failure| Failure::new(format!("{failure}\nthe seed was {}", world.seed)))
        }),
    }
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Cut(Cut),
    Kill,
}

fn run(world: &World<'_>, figures: Figures) -> Step {
    let (left_relay, right_relay) = (
        Relay::start(world.server.starttls())?,
        Relay::start(world.server.starttls())?,
    );
    let mut left = signed_in_through(world, world.server, &left_relay, "left")?;
    let mut right = signed_in_through(world, world.server, &right_relay, "right")?;
    befriend(&mut left, &mut right)?;
    let to_right = left.talk_to(&right.address())?;
    let to_left = right.talk_to(&left.address())?;
    let mut random = Random::new(world.seed);
    let left_faults = faults(&mut random, figures, 0);
    let right_faults = faults(&mut random, figures, 1);
    let done = thread::scope(|scope| {
        let one = scope.spawn(|| {
            drive(
                &mut left,
                to_right,
                "left",
                figures.messages,
                &left_faults,
                &left_relay,
            )
        });
        let other = scope.spawn(|| {
            drive(
                &mut right,
                to_left,
                "right",
                figures.messages,
                &right_faults,
                &right_relay,
            )
        });
        [one.join(), other.join()]
    });
    for side in done {
        side.map_err(|_| Failure::new("a driver panicked"))??;
    }
    // What is wrong with the histories says more than that they did not settle.
    let settled = settle(&mut left, to_right, figures.messages, "right")
        .and_then(|()| settle(&mut right, to_left, figures.messages, "left"));
    let (one, other) = (left.address(), right.address());
    for (sotto, conversation, me, them) in [
        (&mut left, to_right, "left", "right"),
        (&mut right, to_left, "right", "left"),
    ] {
        let history = sotto.history(conversation)?;
        let said = numbers(&history, Direction::Outgoing, me);
        complete(&format!("what {me} said"), &said, figures.messages)?;
        let waiting = unsent(&history);
        ensure(waiting.is_empty(), || {
            format!("{me}: not told as sent: {waiting:?}")
        })?;
        let heard = numbers(&history, Direction::Incoming, them);
        let (owner, partner) = if me == "left" {
            (&one, &other)
        } else {
            (&other, &one)
        };
        let copies = archive(world, owner, partner, them)?;
        let archived: Vec<usize> = copies.iter().map(|copy| copy.number).collect();
        match world.kind {
            Kind::Prosody => {
                complete(&format!("what {me} heard"), &heard, figures.messages)
                    .and_then(|()| {
                        complete(&format!("the archive of {me}"), &archived, figures.messages)
                    })
                    .map_err(|failure| with_doubles(&failure, &history, &copies, them))?;
            }
            Kind::Ejabberd => {
                let lost: Vec<usize> = (1..=figures.messages)
                    .filter(|n| !heard.contains(n))
                    .collect();
                ensure(lost.is_empty(), || format!("{me} never heard {lost:?}"))?;
                let count = |of: &[usize], n| of.iter().filter(|&&number| number == n).count();
                let ours: Vec<usize> = (1..=figures.messages)
                    .filter(|n| count(&heard, *n) > count(&archived, *n).max(1))
                    .collect();
                ensure(ours.is_empty(), || {
                    format!("{me} heard more often than the server delivered: {ours:?}")
                })
                .map_err(|failure| with_doubles(&failure, &history, &copies, them))?;
            }
        }
    }
    settled
}

/// Writes all messages of one side, breaking things on the way.
fn drive(
    sotto: &mut Sotto,
    conversation: ConversationId,
    me: &str,
    messages: usize,
    faults: &[(usize, Fault)],
    relay: &Relay,
) -> Step {
    let account = sotto.account()?;
    let mut faults = faults.iter().peekable();
    let mut next = 1;
    while next <= messages {
        let body = text(me, next);
        if let Some((_, fault)) = faults.next_if(|(at, _)| *at == next) {
            let limit = LATER;
            sotto.until("to be online before the next fault", limit, |s| {
                Ok((s.view(account)?.state == AccountState::Online).then_some(()))
            })?;
            match fault {
                Fault::Cut(how) => relay.cut(*how),
                Fault::Kill => {
                    // The request may or may not have been carried out: the history tells, as it tells a person.
                    sotto
                        .rpc()?
                        .send(Request::MessageSend { conversation, body })?;
                    sotto.kill();
                    sotto.again()?;
                    let written = last_of(sotto, conversation)?;
                    ensure(written == next || written + 1 == next, || {
                        format!("{me}: after a kill at {next} the last message is {written}")
                    })?;
                    next = written + 1;
                    continue;
                }
            }
        }
        sotto.say(conversation, &body)?;
        next += 1;
    }
    Ok(())
}

/// Waits until everything has arrived and everything is told as sent.
fn settle(sotto: &mut Sotto, conversation: ConversationId, messages: usize, them: &str) -> Step {
    let last = text(them, messages);
    sotto.until("the last messages", LAST_LIMIT, |s| {
        // The newest page is cheap to look at after each event; the rest only once that page is settled.
        let (page, _) = s.page(conversation, None)?;
        let arrived = page
            .iter()
            .any(|m| m.direction == Direction::Incoming && m.body == last);
        if !arrived || !unsent(&page).is_empty() {
            return Ok(None);
        }
        Ok(unsent(&s.history(conversation)?).is_empty().then_some(()))
    })
}

/// The own messages that are not told as sent.
fn unsent(messages: &[MessageView]) -> Vec<&str> {
    messages
        .iter()
        .filter(|m| m.direction == Direction::Outgoing && m.delivery < Some(Delivery::Sent))
        .map(|m| m.body.as_str())
        .collect()
}

/// The number of the last own message in the history.
fn last_of(sotto: &mut Sotto, conversation: ConversationId) -> Step<usize> {
    let mut before = None;
    loop {
        let (page, older) = sotto.page(conversation, before)?;
        let own = page
            .iter()
            .rev()
            .find(|m| m.direction == Direction::Outgoing);
        if let Some(message) = own {
            return message
                .body
                .rsplit(' ')
                .next()
                .and_then(|n| n.parse().ok())
                .ok_or_else(|| Failure::new(format!("not one of ours: {:?}", message.body)));
        }
        before = page.first().map(|m| m.id);
        if !older || before.is_none() {
            return Ok(0);
        }
    }
}

/// The numbers of one side's messages, in the order of the history.
fn numbers(history: &[MessageView], direction: Direction, writer: &str) -> Vec<usize> {
    history
        .iter()
        .filter(|m| m.direction == direction)
        .map(|m| number(writer, &m.body))
        .collect()
}

/// The number of a message; 0 for anything that is not one of ours.
fn number(writer: &str, body: &str) -> usize {
    body.strip_prefix(writer)
        .and_then(|rest| rest.trim().parse().ok())
        .unwrap_or(0)
}

/// Each of 1 to `messages` exactly once and in order; else says what is lost, doubled or out of order.
fn complete(what: &str, numbers: &[usize], messages: usize) -> Step {
    let mut counts = vec![0_usize; messages + 1];
    for &number in numbers {
        if let Some(count) = counts.get_mut(number) {
            *count += 1;
        }
    }
    let lost: Vec<usize> = (1..=messages)
        .filter(|n| counts.get(*n) == Some(&0))
        .collect();
    let doubled: Vec<usize> = (1..=messages)
        .filter(|n| counts.get(*n) > Some(&1))
        .collect();
    // Each place where the order breaks, with what stands around it.
    let turned: Vec<&[usize]> = (1..numbers.len())
        .filter(|at| numbers.get(at - 1) >= numbers.get(*at))
        .filter_map(|at| numbers.get(at.saturating_sub(8)..numbers.len().min(at + 8)))
        .collect();
    ensure(
        lost.is_empty() && doubled.is_empty() && turned.is_empty() && numbers.len() == messages,
        || {
            format!(
                "{what}: {} lost {:?}, {} doubled {:?}, {} out of order {:?}, {} in all",
                lost.len(),
                lost.iter().take(10).collect::<Vec<_>>(),
                doubled.len(),
                doubled.iter().take(10).collect::<Vec<_>>(),
                turned.len(),
                turned.iter().take(3).collect::<Vec<_>>(),
                numbers.len()
            )
        },
    )
}

/// A message in the archive on the server.
struct Copy {
    number: usize,
    /// The archive's id, the writer's id, the writing device and the time: what tells doubles apart.
    details: String,
}

/// What `owner`'s archive on the server holds from `partner`, read by a program that is not ours.
fn archive(world: &World<'_>, owner: &str, partner: &str, writer: &str) -> Step<Vec<Copy>> {
    let name = owner.split('@').next().unwrap_or_default();
    let mut peer = Peer::start(
        &world.tools.python,
        &world.tools.ca,
        world.server,
        name,
        PASSWORD,
    )?;
    peer.tell(&json!({ "do": "archive", "partner": partner }))?;
    let event = peer.wait("archive", |_| true)?;
    let list = |name: &str| event[name].as_array().cloned().unwrap_or_default();
    Ok(list("messages")
        .iter()
        .zip(list("details"))
        .filter(|(m, _)| m[0] == partner)
        .map(|(m, details)| Copy {
            number: number(writer, m[1].as_str().unwrap_or_default()),
            details: details.to_string(),
        })
        .collect())
}

/// The failure, and for each of the first doubles how it stands in the history and in the archive.
fn with_doubles(
    failure: &Failure,
    history: &[MessageView],
    archived: &[Copy],
    writer: &str,
) -> Failure {
    let mut heard: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for message in history
        .iter()
        .filter(|m| m.direction == Direction::Incoming)
    {
        let line = format!("{:?} at {:?}", message.id, message.at);
        heard
            .entry(number(writer, &message.body))
            .or_default()
            .push(line);
    }
    let mut words = failure.to_string();
    for (number, lines) in heard.iter().filter(|(_, lines)| lines.len() > 1).take(8) {
        let copies = archived.iter().filter(|copy| copy.number == *number);
        let copies: Vec<&str> = copies.map(|copy| copy.details.as_str()).collect();
        words.push_str(&format!(
            "\n{number}: in the history {lines:?}, in the archive {copies:?}"
        ));
    }
    Failure::new(words)
}

fn text(writer: &str, number: usize) -> String {
    format!("{writer} {number:05}")
}

/// The faults of one side (0 or 1): at which message, and which.
fn faults(random: &mut Random, figures: Figures, side: usize) -> Vec<(usize, Fault)> {
    let share = |all: usize| all / 2 + usize::from(side == 0) * (all % 2);
    let count = share(figures.cuts) + share(figures.kills);
    let mut kinds: Vec<Fault> = (0..count)
        .map(|n| {
            if n < share(figures.kills) {
                Fault::Kill
            } else if random.below(2) == 0 {
                Fault::Cut(Cut::Close)
            } else {
                Fault::Cut(Cut::Reset)
            }
        })
        .collect();
    random.shuffle(&mut kinds);
    let mut places: Vec<usize> = (2..=figures.messages).collect();
    random.shuffle(&mut places);
    places.truncate(count);
    places.sort_unstable();
    places.into_iter().zip(kinds).collect()
}

/// SplitMix64: enough chance for faults, and the same each time for the same seed.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `limit` - 1; `limit` is at least 1.
    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % limit).unwrap_or(0)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for n in (1..items.len()).rev() {
            items.swap(n, self.below(n + 1));
        }
    }
}
