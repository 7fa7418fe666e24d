//! Private conversations of Sotto, over a server, with programs whose OTR we did not write.

use sotto_api::view::{Delivery, Policy, Privacy, PrivateState, Settings, VerificationState};
use sotto_api::{ConversationId, Request, Secret};
use sotto_testkit::rpc::Step;

use super::otr::{given_back, policy, stands, texts, verifying};
use super::slixmpp::befriend;
use super::{BOTH, Case, PROSODY, case, ensure, same};
use crate::foreign::{Foreign, Outcome, Scripted};
use crate::peer::Library;
use crate::profanity::Profanity;
use crate::sotto::Sotto;
use crate::world::World;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "libotr: either side begins, both write, either ends, and version 3 is chosen",
            BOTH,
            |world| {
                let mut talk = libotr(world)?;
                same("the version", &talk.begin_and_version()?, &3)?;
                talk.both_write("to begin with")?;
                talk.ends_and_begins_again()
            },
        ),
        case(
            "libotr: a hundred private messages cross each way",
            BOTH,
            |world| libotr(world)?.crossing(),
        ),
        case(
            "libotr: fragments of 140, 300 and 1000 bytes are put together",
            PROSODY,
            fragments,
        ),
        case(
            "libotr: checks by question and by secret, right, wrong and stopped",
            PROSODY,
            |world| {
                let mut talk = libotr(world)?;
                talk.checks(Outcome::Wrong)?;
                talk.stopped_there()
            },
        ),
        case(
            "libotr: a private conversation outlives Sotto, and is renewed for a restarted libotr",
            PROSODY,
            |world| libotr(world)?.restarts(false),
        ),
        case(
            "potr, version 2 allowed: either side begins, both write, either ends",
            PROSODY,
            |world| {
                let mut talk = potr(world, true)?;
                same("the version", &talk.begin_and_version()?, &2)?;
                talk.both_write("to begin with")?;
                talk.ends_and_begins_again()
            },
        ),
        case(
            "potr, version 2 allowed: a hundred private messages cross each way",
            PROSODY,
            |world| potr(world, true)?.crossing(),
        ),
        case(
            "potr, version 2 allowed: checks by question and by secret, right, wrong and stopped",
            PROSODY,
            // potr answers a wrong secret with a stop rather than with the last step.
            |world| {
                let mut talk = potr(world, true)?;
                talk.checks(Outcome::Stopped)?;
                talk.stopped_there()
            },
        ),
        case(
            "Profanity, privacy required: the first text begins, both write, either ends",
            PROSODY,
            |world| {
                let mut talk = profanity(world)?;
                policy(&mut talk.sara, talk.conversation, Policy::Required)?;
                talk.sara.say(talk.conversation, "größer als 漢字")?;
                talk.agree()?;
                talk.other.hears("größer als 漢字")?;
                talk.both_write("begun by a text")?;
                talk.ends_and_begins_again()
            },
        ),
        case(
            "Profanity: checks by question and by secret, right, wrong and stopped",
            PROSODY,
            |world| profanity(world)?.checks(Outcome::Wrong),
        ),
        case(
            "Profanity: a private conversation outlives a kill of Sotto, and is renewed after other restarts",
            PROSODY,
            |world| profanity(world)?.restarts(true),
        ),
        case(
            "s_otr_02: version 2 is not spoken unless it was allowed, and nothing leaves in clear",
            PROSODY,
            version_2,
        ),
    ]
}

const QUESTION: &str = "Where did we meet?";
const SECRET: &str = "beim Chor, natürlich";

// ---- cases -----------------------------------------------------------------------------------

fn fragments(world: &World<'_>) -> Step {
    let mut talk = libotr(world)?;
    talk.begin()?;
    for size in [140, 300, 1_000] {
        talk.other.size(size)?;
        let long: String = ('a'..='z').cycle().take(3_000).collect();
        let long = format!("{size} {long}");
        talk.other.say(&long)?;
        let heard = talk.sara.hears(talk.conversation, &long)?;
        same("who can read", &heard.privacy, &Privacy::Encrypted)?;
    }
    Ok(())
}

/// Row S-OTR-02. The other side speaks nothing but version 2.
fn version_2(world: &World<'_>) -> Step {
    let mut talk = potr(world, false)?;
    talk.other.begin()?;
    let me = talk.sara.address();
    // What comes behind the query shows that the query has been read.
    talk.other.peer().send(&me, "are you there?")?;
    talk.sara.hears(talk.conversation, "are you there?")?;
    policy(&mut talk.sara, talk.conversation, Policy::Required)?;
    talk.sara.say(talk.conversation, "not in version 2")?;
    given_back(&mut talk.sara, talk.conversation, "not in version 2")?;
    ensure(!talk.other.peer().heard("not in version 2"), || {
        "the text left in clear".to_owned()
    })?;
    ensure(!talk.other.peer().heard("\"private\""), || {
        "a private conversation came about".to_owned()
    })
}

// ---- what every program is put through -------------------------------------------------------

/// Sara with Sotto, and somebody with another program.
struct Talk<F> {
    sara: Sotto,
    conversation: ConversationId,
    other: F,
}

fn libotr<'a>(world: &World<'a>) -> Step<Talk<Scripted<'a>>> {
    scripted(world, Library::Libotr)
}

fn potr<'a>(world: &World<'a>, allowed: bool) -> Step<Talk<Scripted<'a>>> {
    let mut talk = scripted(world, Library::Potr)?;
    allow_version_2(&mut talk.sara, allowed)?;
    Ok(talk)
}

fn allow_version_2(sara: &mut Sotto, allowed: bool) -> Step {
    let settings = Settings {
        allow_otr_v2: allowed,
        ..Settings::default()
    };
    sara.ask(Request::SettingsSet { settings }).map(drop)
}

fn scripted<'a>(world: &World<'a>, library: Library) -> Step<Talk<Scripted<'a>>> {
    let mut sara = world.signed_in("sara")?;
    let mut other = Scripted::start(world, library, &sara.address())?;
    befriend(&mut sara, other.peer())?;
    let conversation = sara.talk_to(&other.address())?;
    Ok(Talk {
        sara,
        conversation,
        other,
    })
}

fn profanity(world: &World<'_>) -> Step<Talk<Profanity>> {
    let mut sara = world.signed_in("sara")?;
    // Profanity lets libotr speak versions 1 and 2 only.
    allow_version_2(&mut sara, true)?;
    let mut other = Profanity::start(world, &sara.address())?;
    other.befriend(&mut sara)?;
    let conversation = sara.talk_to(&other.address())?;
    Ok(Talk {
        sara,
        conversation,
        other,
    })
}

impl Talk<Scripted<'_>> {
    /// Sotto begins; gives the version that was chosen.
    fn begin_and_version(&mut self) -> Step<u64> {
        self.start()?;
        let version = self.other.version()?;
        self.is_private()?;
        Ok(version)
    }

    /// The other side stops Sotto's check.
    fn stopped_there(&mut self) -> Step {
        let conversation = self.conversation;
        self.sara.ask(Request::VerifyAsk {
            conversation,
            question: None,
            secret: Secret::new(SECRET.to_owned()),
        })?;
        self.other.asked(None)?;
        self.other.stop()?;
        verifying(&mut self.sara, conversation, VerificationState::Stopped)?;
        Ok(())
    }

    fn crossing(&mut self) -> Step {
        self.begin()?;
        let spoken = |who: &str| (1..=100).map(|n| format!("{who} {n}")).collect::<Vec<_>>();
        let (mine, theirs) = (spoken("sara"), spoken("foreign"));
        for (mine, theirs) in mine.iter().zip(&theirs) {
            self.other.say(theirs)?;
            self.sara.say(self.conversation, mine)?;
        }
        self.sara.hears(self.conversation, "foreign 100")?;
        same(
            "what Sotto read",
            &texts(&mut self.sara, self.conversation)?,
            &theirs,
        )?;
        self.other.hears("sara 100")?;
        let read = self.other.peer().all("private_message", "body");
        same("what the other read", &read.len(), &99)?;
        ensure(mine.starts_with(&read), || {
            format!("the other read {read:?}")
        })
    }
}

impl<F: Foreign> Talk<F> {
    fn start(&mut self) -> Step {
        self.sara.ask(Request::PrivateStart {
            conversation: self.conversation,
        })?;
        Ok(())
    }

    /// Sotto begins.
    fn begin(&mut self) -> Step {
        self.start()?;
        self.agree()
    }

    /// Sotto begins anew over a session that only Sotto still has. It is at the end of the key exchange when it
    /// reads the other side's first word.
    fn renew(&mut self, first: &str) -> Step {
        self.begin()?;
        self.other.say(first)?;
        let heard = self.sara.hears(self.conversation, first)?;
        same("who can read", &heard.privacy, &Privacy::Encrypted)
    }

    /// Both have a private conversation, between the same two keys.
    fn agree(&mut self) -> Step {
        let mine = self.other.private()?;
        let own = self.is_private()?;
        same("Sotto's code", &mine, &own)
    }

    /// Sotto has a private conversation with the other side's key. Gives the own code as digits.
    fn is_private(&mut self) -> Step<String> {
        let view = stands(&mut self.sara, self.conversation, "private", |v| {
            v.private.state == PrivateState::Private
        })?;
        same(
            "the other's code",
            &digits(&view.private.code),
            &self.other.code()?,
        )?;
        Ok(digits(&view.private.own_code))
    }

    fn both_write(&mut self, mark: &str) -> Step {
        let (question, answer) = (
            format!("größer & älter, 1 < 2, 漢字 ({mark})?"),
            format!("ja, größer && älter ({mark})"),
        );
        let message = self.sara.say(self.conversation, &question)?;
        self.other.hears(&question)?;
        self.sara.reaches(message, Delivery::Sent)?;
        self.other.say(&answer)?;
        let heard = self.sara.hears(self.conversation, &answer)?;
        ensure(
            matches!(heard.privacy, Privacy::Encrypted | Privacy::Verified),
            || format!("it came as {:?}", heard.privacy),
        )
    }

    /// Sotto ends a conversation that stands, the other side begins one and ends that.
    fn ends_and_begins_again(&mut self) -> Step {
        let conversation = self.conversation;
        self.sara.ask(Request::PrivateEnd { conversation })?;
        self.other.over()?;
        self.other.begin()?;
        self.agree()?;
        self.both_write("begun by the other")?;
        self.other.end()?;
        stands(&mut self.sara, conversation, "ended", |v| {
            v.private.state == PrivateState::Ended
        })?;
        let refused = self.sara.rpc()?.ask(Request::MessageSend {
            conversation,
            body: "into the open".to_owned(),
        })?;
        ensure(refused.is_err(), || {
            "a text was taken after the end".to_owned()
        })
    }

    /// `answered_wrongly` is what Sotto is told when the other side's answer was wrong.
    fn checks(&mut self, answered_wrongly: Outcome) -> Step {
        self.begin()?;
        let wrong = "at the market";
        self.check(Some(QUESTION), wrong, answered_wrongly)?;
        self.answer(None, wrong, Outcome::Wrong)?;
        self.stopped()?;
        self.answer(Some(QUESTION), SECRET, Outcome::Right)?;
        self.check(None, SECRET, Outcome::Right)?;
        self.check(Some(QUESTION), SECRET, Outcome::Right)?;
        let view = self.sara.conversation(self.conversation)?;
        same("the label", &view.privacy.state, &Privacy::Verified)?;
        self.both_write("after checks")
    }

    /// Sotto asks.
    fn check(&mut self, question: Option<&str>, answer: &str, outcome: Outcome) -> Step {
        let conversation = self.conversation;
        self.sara.ask(Request::VerifyAsk {
            conversation,
            question: question.map(str::to_owned),
            secret: Secret::new(SECRET.to_owned()),
        })?;
        self.other.asked(question)?;
        self.other.answer(question, answer)?;
        verifying(&mut self.sara, conversation, state(outcome))?;
        // The answering side itself always knows whether it was right.
        self.other.outcome(match outcome {
            Outcome::Right => Outcome::Right,
            _ => Outcome::Wrong,
        })
    }

    /// The other side asks.
    fn answer(&mut self, question: Option<&str>, answer: &str, outcome: Outcome) -> Step {
        let conversation = self.conversation;
        self.other.ask(question, SECRET)?;
        let asked = verifying(&mut self.sara, conversation, VerificationState::Asked)?;
        same(
            "the question",
            &asked.private.verification.question.as_str(),
            &question.unwrap_or_default(),
        )?;
        self.sara.ask(Request::VerifyAnswer {
            conversation,
            secret: Secret::new(answer.to_owned()),
        })?;
        self.other.outcome(outcome)?;
        verifying(&mut self.sara, conversation, state(outcome))?;
        Ok(())
    }

    /// Sotto stops the other's check, and its own.
    fn stopped(&mut self) -> Step {
        let conversation = self.conversation;
        self.other.ask(Some(QUESTION), SECRET)?;
        verifying(&mut self.sara, conversation, VerificationState::Asked)?;
        self.sara.ask(Request::VerifyStop { conversation })?;
        self.other.outcome(Outcome::Stopped)?;
        // Not without a question: Profanity takes the next secret for the answer to the one that was stopped.
        self.sara.ask(Request::VerifyAsk {
            conversation,
            question: Some(QUESTION.to_owned()),
            secret: Secret::new(SECRET.to_owned()),
        })?;
        self.other.asked(Some(QUESTION))?;
        self.sara.ask(Request::VerifyStop { conversation })?;
        self.other.outcome(Outcome::Stopped)
    }

    /// `ends_with_presence`: the other side's program ends the conversation when Sotto goes offline.
    fn restarts(&mut self, ends_with_presence: bool) -> Step {
        self.begin()?;
        self.both_write("before")?;
        let account = self.sara.account()?;
        self.sara.kill();
        self.sara.again()?;
        self.sara.online(account)?;
        self.both_write("after a kill of Sotto")?;
        self.sara.quit()?;
        if ends_with_presence {
            self.other.over()?;
        }
        self.sara.again()?;
        self.sara.online(account)?;
        if ends_with_presence {
            self.renew("the first word after the end of Sotto")?;
        }
        self.both_write("after an end of Sotto")?;
        // libotr forgets its sessions and does not tell: what comes in one, it drops without an answer.
        self.other.restart()?;
        self.renew("the first word after a restart")?;
        self.both_write("after a restart of the other")
    }
}

fn state(outcome: Outcome) -> VerificationState {
    match outcome {
        Outcome::Right => VerificationState::Succeeded,
        Outcome::Wrong => VerificationState::Failed,
        Outcome::Stopped => VerificationState::Stopped,
    }
}

/// A code as programs with libotr store it.
fn digits(code: &str) -> String {
    code.chars()
        .filter(char::is_ascii_hexdigit)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}
