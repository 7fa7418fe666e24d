//! Private conversations: Sotto with Sotto through a server, and with a program that has none.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use sotto_api::view::{
    ConversationView, Delivery, Direction, Policy, PolicyScope, Privacy, PrivateState, Trust,
    VerificationState,
};
use sotto_api::{ConversationId, MessageId, Reply, Request, Secret};
use sotto_testkit::relay::{Cut, Relay};
use sotto_testkit::rpc::{Failure, Step};

use super::links::signed_in_through;
use super::slixmpp::friends;
use super::{BOTH, Case, case, ensure, same};
use crate::capture::Capture;
use crate::peer::Peer;
use crate::server::{Kind, Options, Server};
use crate::sotto::{LATER, Sotto, befriend};
use crate::world::{PASSWORD, World};

/// The end of the white space that offers OTR version 3 behind a text.
const TAG_OF_V3: &str = "  \t\t  \t\t";

/// The wait for an answer of the other side's program ends after 20 s; more, for a slow computer.
const NO_ANSWER: Duration = Duration::from_secs(60);

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "g_12: with privacy required, no text leaves in clear across cuts, kills and ends",
            BOTH,
            nothing_in_clear,
        ),
        case(
            "either side begins a private conversation, both write, and its end stops the other side",
            BOTH,
            begin_write_end,
        ),
        case("a hundred private messages cross each way", BOTH, crossing),
        case(
            "a question verifies with the right answer only, and can be stopped",
            BOTH,
            verification,
        ),
        case(
            "a private conversation goes on after a restart or a kill of either side",
            BOTH,
            restarts,
        ),
        case(
            "each device of an account has a private conversation of its own",
            BOTH,
            two_devices,
        ),
        case(
            "with privacy required, a text for a program without OTR goes back into the draft",
            BOTH,
            refused,
        ),
        case(
            "when possible, a text offers a private conversation and is otherwise as written",
            BOTH,
            offered,
        ),
    ]
}

// ---- cases -----------------------------------------------------------------------------------

fn begin_write_end(world: &World<'_>) -> Step {
    let mut pair = Pair::new(world)?;
    pair.swapped_every_time(|pair| {
        pair.begin()?;
        let (to_leila, to_sara) = (pair.to_leila, pair.to_sara);
        let message = pair
            .sara
            .say(to_leila, "in a <low> voice && so on; 1 < 2")?;
        let heard = pair
            .leila
            .hears(to_sara, "in a <low> voice && so on; 1 < 2")?;
        same("who can read", &heard.privacy, &Privacy::Encrypted)?;
        ensure(!heard.kept, || "it is kept".to_owned())?;
        pair.sara.reaches(message, Delivery::Sent)?;
        pair.leila.say(to_sara, "likewise")?;
        pair.leila.ask(Request::PrivateEnd {
            conversation: to_sara,
        })?;
        stands(&mut pair.sara, to_leila, "ended", |v| {
            v.private.state == PrivateState::Ended
        })?;
        ensure(pair.sara.hears(to_leila, "likewise").is_ok(), || {
            "what was written before the end is missing".to_owned()
        })?;
        let refused = pair.sara.ask(Request::MessageSend {
            conversation: to_leila,
            body: "into the open".to_owned(),
        });
        ensure(refused.is_err(), || {
            "a text was taken after the end".to_owned()
        })?;
        Ok(())
    })
}

fn crossing(world: &World<'_>) -> Step {
    let mut pair = Pair::new(world)?;
    pair.begin()?;
    let (to_leila, to_sara) = (pair.to_leila, pair.to_sara);
    for n in 1..=100 {
        pair.sara.say(to_leila, &format!("sara {n}"))?;
        pair.leila.say(to_sara, &format!("leila {n}"))?;
    }
    pair.sara.hears(to_leila, "leila 100")?;
    pair.leila.hears(to_sara, "sara 100")?;
    let spoken = |who: &str| (1..=100).map(|n| format!("{who} {n}")).collect::<Vec<_>>();
    same(
        "what Sara heard",
        &texts(&mut pair.sara, to_leila)?,
        &spoken("leila"),
    )?;
    same(
        "what Leila heard",
        &texts(&mut pair.leila, to_sara)?,
        &spoken("sara"),
    )
}

fn verification(world: &World<'_>) -> Step {
    let mut pair = Pair::new(world)?;
    pair.begin()?;
    let (to_leila, to_sara) = (pair.to_leila, pair.to_sara);
    let ask = |pair: &mut Pair| -> Step {
        pair.sara.ask(Request::VerifyAsk {
            conversation: to_leila,
            question: Some("Where did we meet?".to_owned()),
            secret: Secret::new("at the choir".to_owned()),
        })?;
        let asked = verifying(&mut pair.leila, to_sara, VerificationState::Asked)?;
        same(
            "the question",
            &asked.private.verification.question.as_str(),
            &"Where did we meet?",
        )
    };
    let answer = |pair: &mut Pair, words: &str| {
        pair.leila.ask(Request::VerifyAnswer {
            conversation: to_sara,
            secret: Secret::new(words.to_owned()),
        })
    };
    ask(&mut pair)?;
    answer(&mut pair, "at the market")?;
    let failed = verifying(&mut pair.sara, to_leila, VerificationState::Failed)?;
    same("trust", &failed.private.trust, &Some(Trust::New))?;
    pair.sara.ask(Request::VerifyStop {
        conversation: to_leila,
    })?;

    ask(&mut pair)?;
    pair.leila.ask(Request::VerifyStop {
        conversation: to_sara,
    })?;
    let stopped = verifying(&mut pair.sara, to_leila, VerificationState::Stopped)?;
    same("trust", &stopped.private.trust, &Some(Trust::New))?;

    ask(&mut pair)?;
    answer(&mut pair, "at the choir")?;
    let verified = verifying(&mut pair.sara, to_leila, VerificationState::Succeeded)?;
    same("trust", &verified.private.trust, &Some(Trust::Verified))?;
    same("the label", &verified.privacy.state, &Privacy::Verified)
}

fn restarts(world: &World<'_>) -> Step {
    let mut pair = Pair::new(world)?;
    pair.begin()?;
    let (to_leila, to_sara) = (pair.to_leila, pair.to_sara);
    for (round, how) in ["quit", "kill", "quit", "kill"].iter().enumerate() {
        let sotto = if round < 2 {
            &mut pair.sara
        } else {
            &mut pair.leila
        };
        let account = sotto.account()?;
        match *how {
            "quit" => sotto.quit()?,
            _ => sotto.kill(),
        }
        sotto.again()?;
        sotto.online(account)?;
        let (question, answer) = (
            format!("still there {round}?"),
            format!("still here {round}"),
        );
        pair.sara.say(to_leila, &question)?;
        let heard = pair.leila.hears(to_sara, &question)?;
        same("who can read", &heard.privacy, &Privacy::Encrypted)?;
        pair.leila.say(to_sara, &answer)?;
        let heard = pair.sara.hears(to_leila, &answer)?;
        same("who can read", &heard.privacy, &Privacy::Encrypted)?;
    }
    Ok(())
}

fn two_devices(world: &World<'_>) -> Step {
    let mut pair = Pair::new(world)?;
    pair.begin()?;
    let mut second = world.sotto("leila's second")?;
    second.sign_in(&pair.leila.address(), PASSWORD, world.server.by_starttls())?;
    let from_second = second.talk_to(&pair.sara.address())?;
    // Key exchanges are counted for each device (S-OTR-03): this one asks within the minute of the other.
    second.ask(Request::PrivateStart {
        conversation: from_second,
    })?;
    stands(&mut second, from_second, "private too", |v| {
        v.private.state == PrivateState::Private
    })?;
    let (to_leila, to_sara) = (pair.to_leila, pair.to_sara);
    let view = stands(&mut pair.sara, to_leila, "private with both devices", |v| {
        v.private.devices.iter().filter(|d| d.private).count() == 2
    })?;
    let mut heard_by = (false, false);
    for device in view.private.devices.iter().filter(|d| d.private) {
        pair.sara.ask(Request::PrivateDevice {
            conversation: to_leila,
            device: device.id.clone(),
        })?;
        let body = format!("only for {}", device.id);
        let message = pair.sara.say(to_leila, &body)?;
        pair.sara.reaches(message, Delivery::Delivered)?;
        let first = texts(&mut pair.leila, to_sara)?.contains(&body);
        let other = texts(&mut second, from_second)?.contains(&body);
        ensure(first != other, || {
            format!("{body:?} was read by the first {first}, by the second {other}")
        })?;
        heard_by.0 |= first;
        heard_by.1 |= other;
    }
    same("each device had its own", &heard_by, &(true, true))
}

fn refused(world: &World<'_>) -> Step {
    let (mut sara, mut peer) = friends(world)?;
    let conversation = sara.talk_to(peer.address())?;
    policy(&mut sara, conversation, Policy::Required)?;
    sara.say(conversation, "for nobody else")?;
    given_back(&mut sara, conversation, "for nobody else")?;
    policy(&mut sara, conversation, Policy::Off)?;
    sara.say(conversation, "for everybody")?;
    peer.message("for everybody")?;
    ensure(!peer.heard("for nobody else"), || {
        "the text left in clear".to_owned()
    })
}

fn offered(world: &World<'_>) -> Step {
    let (mut sara, mut peer) = friends(world)?;
    let conversation = sara.talk_to(peer.address())?;
    policy(&mut sara, conversation, Policy::Preferred)?;
    // The first text makes the own key, and offers already.
    sara.say(conversation, "good morning")?;
    peer.wait("message", |e| {
        e["body"]
            .as_str()
            .is_some_and(|b| b.trim_end() == "good morning" && b.contains(TAG_OF_V3))
    })?;
    peer.send(&sara.address(), "good morning to you")?;
    sara.hears(conversation, "good morning to you")?;
    sara.say(conversation, "and how are you?")?;
    peer.message("and how are you?")?;
    Ok(())
}

/// Row G-12. What clients say is looked at in three places: inside the server, behind TLS, where every stanza
/// stands in clear; in its archive; and on the wire, by tcpdump, where nothing may stand that is not inside TLS. A
/// control in each of the first and the last shows that a text in clear would have been found.
fn nothing_in_clear(world: &World<'_>) -> Step {
    // On the second server fewer, so that the suite stays quick.
    let canaries = match world.kind {
        Kind::Prosody => 1_000,
        Kind::Ejabberd => 600,
    };
    let options = Options {
        capture: true,
        ..Options::default()
    };
    let server = world
        .tools
        .server(world.kind, options, &world.tools.authority)?;
    let relay = Relay::start(server.starttls())?;
    let ports = [server.starttls().port(), relay.port()];
    let wire = Capture::start(&server.folder().join("wire.pcap"), &ports)?;
    let mut sara = signed_in_through(world, &server, &relay, "sara")?;
    let address = world.account_at(&server, "leila")?;
    let mut leila = world.sotto("leila")?;
    leila.sign_in(&address, PASSWORD, server.by_starttls())?;
    befriend(&mut sara, &mut leila)?;
    let (to_leila, to_sara) = (sara.talk_to(&address)?, leila.talk_to(&sara.address())?);
    sara.ask(Request::PolicySet {
        scope: PolicyScope::Global {},
        policy: Some(Policy::Required),
        follow: true,
    })?;
    let canary = |n: usize| format!("canary{:x}x{n:04}end", world.seed);
    let account = sara.account()?;
    let (mut taken, mut last) = (0, None);
    for n in 1..=canaries {
        // Prosody 0.12 feeds a resumed stream to the parser of the old one. Where a cut has split a stanza it
        // reads no other from then on, so its links are cut between stanzas, ejabberd's anywhere.
        if world.kind == Kind::Prosody && (n % 200 == 50 || n % 200 == 150) {
            quiet(&mut sara, last)?;
        }
        match n % 200 {
            50 => relay.cut(if n < 500 { Cut::Reset } else { Cut::Close }),
            100 => {
                leila.ask(Request::PrivateEnd {
                    conversation: to_sara,
                })?;
            }
            150 if n < 500 => {
                sara.kill();
                sara.again()?;
            }
            150 => {
                leila.kill();
                leila.again()?;
            }
            _ => {}
        }
        let request = Request::MessageSend {
            conversation: to_leila,
            body: canary(n),
        };
        // After the other side's end it must be refused; a person would then begin again.
        match sara.ask(request) {
            Ok(Reply::Message(view)) => {
                taken += 1;
                last = Some(view.id);
            }
            Ok(_) => return Err(Failure::new("the reply does not fit message_send")),
            Err(failure) if failure.to_string().contains("NotPrivate") => {
                sara.online(account)?;
                sara.ask(Request::PrivateStart {
                    conversation: to_leila,
                })?;
            }
            Err(failure) => return Err(failure),
        }
    }
    ensure(taken > canaries / 2, || format!("only {taken} were taken"))?;
    // An end that was lost with a cut leaves one side with a conversation that the other has not: both end
    // what they have, and begin anew. A contact may make us begin once a minute (S-OTR-03), hence the time.
    sara.online(account)?;
    sara.ask(Request::PrivateEnd {
        conversation: to_leila,
    })?;
    leila.ask(Request::PrivateEnd {
        conversation: to_sara,
    })?;
    sara.until("a private conversation at the end", LATER * 2, |s| {
        let view = s.conversation(to_leila)?;
        if matches!(view.private.state, PrivateState::None | PrivateState::Ended) && view.online {
            s.ask(Request::PrivateStart {
                conversation: to_leila,
            })?;
        }
        Ok((view.private.state == PrivateState::Private).then_some(()))
    })?;
    stands(&mut leila, to_sara, "private", |v| {
        v.private.state == PrivateState::Private
    })?;
    let last = sara.say(to_leila, "the last one")?;
    sara.reaches(last, Delivery::Delivered)?;
    let control = format!("control{:x}end", world.seed);
    policy(&mut sara, to_leila, Policy::Off)?;
    sara.ask(Request::PrivateEnd {
        conversation: to_leila,
    })?;
    let message = sara.say(to_leila, &control)?;
    sara.reaches(message, Delivery::Sent)?;

    let captured = server.captured()?;
    let holds = |words: &str| captured.iter().any(|text| text.contains(words));
    ensure(holds(&control), || {
        "the capture would not have seen it".to_owned()
    })?;
    ensure(holds("?OTR:"), || "nothing private was said".to_owned())?;
    let leaked: Vec<usize> = (1..=canaries).filter(|n| holds(&canary(*n))).collect();
    same("texts that left in clear", &leaked, &Vec::new())?;

    let any = format!("canary{:x}x", world.seed);
    for (owner, partner) in [
        (sara.address(), &address),
        (address.clone(), &sara.address()),
    ] {
        let archive = archive(world, &server, &owner, partner)?;
        ensure(!archive.contains(&any), || {
            format!("texts stand in the archive of {owner}")
        })?;
    }

    let outside = format!("outside{:x}end", world.seed);
    TcpStream::connect(server.starttls())?.write_all(outside.as_bytes())?;
    let wire = wire.finish(&outside)?;
    ensure(wire.directions() > 10 && wire.holds("<starttls"), || {
        "the wire carried no connection of ours".to_owned()
    })?;
    for words in [any.as_str(), control.as_str(), "?OTR"] {
        ensure(!wire.holds(words), || format!("{words} was on the wire"))?;
    }
    Ok(())
}

/// Waits until the last message has left, or has been given back.
fn quiet(sotto: &mut Sotto, last: Option<MessageId>) -> Step {
    let Some(last) = last else { return Ok(()) };
    sotto.until("the last text to be on its way", LATER, |s| {
        let reply = s.rpc()?.ask(Request::MessageView { message: last })?;
        Ok(match reply {
            Ok(Reply::Message(view)) if view.delivery == Some(Delivery::Waiting) => None,
            _ => Some(()),
        })
    })
}

/// The whole archive of `owner`'s messages with `partner`, read by a program that is not ours.
fn archive(world: &World<'_>, server: &Server, owner: &str, partner: &str) -> Step<String> {
    let name = owner.split('@').next().unwrap_or_default();
    let (python, ca) = (&world.tools.python, &world.tools.ca);
    let mut peer = Peer::start(python, ca, server, name, PASSWORD)?;
    peer.tell(&serde_json::json!({ "do": "archive", "partner": partner }))?;
    Ok(peer.wait("archive", |_| true)?.to_string())
}

// ---- helpers ---------------------------------------------------------------------------------

/// Two Sottos that see each other.
struct Pair {
    sara: Sotto,
    leila: Sotto,
    to_leila: ConversationId,
    to_sara: ConversationId,
}

impl Pair {
    fn new(world: &World<'_>) -> Step<Self> {
        let mut sara = world.signed_in("sara")?;
        let mut leila = world.signed_in("leila")?;
        befriend(&mut sara, &mut leila)?;
        let to_leila = sara.talk_to(&leila.address())?;
        let to_sara = leila.talk_to(&sara.address())?;
        Ok(Self {
            sara,
            leila,
            to_leila,
            to_sara,
        })
    }

    /// Sara begins, and it stands on both sides between the same two keys.
    fn begin(&mut self) -> Step {
        self.sara.ask(Request::PrivateStart {
            conversation: self.to_leila,
        })?;
        let private = |v: &ConversationView| v.private.state == PrivateState::Private;
        let mine = stands(&mut self.sara, self.to_leila, "private", private)?;
        let theirs = stands(&mut self.leila, self.to_sara, "private", private)?;
        ensure(!mine.private.code.is_empty(), || {
            "there is no code".to_owned()
        })?;
        same("Leila's code", &mine.private.code, &theirs.private.own_code)?;
        same("Sara's code", &mine.private.own_code, &theirs.private.code)
    }

    /// Does it, and does it again with the roles changed.
    fn swapped_every_time(&mut self, what: impl Fn(&mut Self) -> Step) -> Step {
        what(self)?;
        std::mem::swap(&mut self.sara, &mut self.leila);
        std::mem::swap(&mut self.to_leila, &mut self.to_sara);
        what(self)
    }
}

/// Waits until a conversation stands as wanted.
pub(super) fn stands(
    sotto: &mut Sotto,
    conversation: ConversationId,
    what: &str,
    fits: impl Fn(&ConversationView) -> bool,
) -> Step<ConversationView> {
    let mut last = None;
    let result = sotto.until(&format!("the conversation {what}"), LATER, |s| {
        let view = s.conversation(conversation)?;
        last = Some(view.private.clone());
        Ok(fits(&view).then_some(view))
    });
    result.map_err(|failure| Failure::new(format!("{failure}; it stands at {last:?}")))
}

pub(super) fn verifying(
    sotto: &mut Sotto,
    conversation: ConversationId,
    state: VerificationState,
) -> Step<ConversationView> {
    stands(sotto, conversation, &format!("{state:?}"), |v| {
        v.private.verification.state == state
    })
}

pub(super) fn policy(sotto: &mut Sotto, conversation: ConversationId, policy: Policy) -> Step {
    sotto.ask(Request::PolicySet {
        scope: PolicyScope::Conversation { conversation },
        policy: Some(policy),
        follow: false,
    })?;
    Ok(())
}

/// Waits until a text is back in the draft, with a notice that says why.
pub(super) fn given_back(sotto: &mut Sotto, conversation: ConversationId, body: &str) -> Step {
    sotto.until("the text to be back in the draft", NO_ANSWER, |s| {
        let view = s.conversation(conversation)?;
        Ok((view.draft == body && view.private.alert.is_some()).then_some(()))
    })
}

/// What the other side said, without the program's own lines.
pub(super) fn texts(sotto: &mut Sotto, conversation: ConversationId) -> Step<Vec<String>> {
    Ok(sotto
        .history(conversation)?
        .into_iter()
        .filter(|m| m.direction == Direction::Incoming && m.notice.is_none())
        .map(|m| m.body)
        .collect())
}
