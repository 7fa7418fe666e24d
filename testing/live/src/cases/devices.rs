//! Several programs on one account: carbons (XEP-0280) and the archive (XEP-0313).

use sotto_api::view::{Delivery, Direction};
use sotto_testkit::rpc::Step;

use super::{BOTH, Case, case, same};
use crate::sotto::{Sotto, befriend};
use crate::world::{PASSWORD, World};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "a second device shows both sides of a conversation at once",
            BOTH,
            carbons,
        ),
        case(
            "a second device that was away catches up without doubles",
            BOTH,
            catch_up,
        ),
        case(
            "a new device finds the conversation in the archive",
            BOTH,
            new_device,
        ),
    ]
}

fn carbons(world: &World<'_>) -> Step {
    let mut trio = Trio::new(world)?;
    trio.talk(1..=3)?;
    let wanted = spoken(1..=3);
    same("the second device", &trio.said_on_second()?, &wanted)?;
    same("the first device", &trio.said_on_first()?, &wanted)
}

fn catch_up(world: &World<'_>) -> Step {
    let mut trio = Trio::new(world)?;
    trio.talk(1..=2)?;
    trio.second.quit()?;
    trio.talk_without_second(3..=40)?;
    trio.second.again()?;
    trio.wait_for_second(40)?;
    trio.talk(41..=42)?;
    let wanted = spoken(1..=42);
    same("the device that was away", &trio.said_on_second()?, &wanted)?;
    // The same again, killed instead of ended.
    trio.second.kill();
    trio.talk_without_second(43..=60)?;
    trio.second.again()?;
    trio.wait_for_second(60)?;
    let wanted = spoken(1..=60);
    same(
        "the device that was killed",
        &trio.said_on_second()?,
        &wanted,
    )?;
    same("the device that stayed", &trio.said_on_first()?, &wanted)
}

fn new_device(world: &World<'_>) -> Step {
    let mut sara = world.signed_in("sara")?;
    let mut leila = world.signed_in("leila")?;
    befriend(&mut sara, &mut leila)?;
    let to_leila = sara.talk_to(&leila.address())?;
    let to_sara = leila.talk_to(&sara.address())?;
    for n in 1..=5 {
        sara.say(to_leila, &format!("before {n}"))?;
        leila.hears(to_sara, &format!("before {n}"))?;
    }
    let mut phone = world.sotto("sara's new device")?;
    phone.sign_in(&sara.address(), PASSWORD, world.server.by_starttls())?;
    let conversation = phone.talk_to(&leila.address())?;
    phone.hears(conversation, "before 5")?;
    let wanted: Vec<String> = (1..=5).map(|n| format!("before {n}")).collect();
    same(
        "the archive",
        &phone.texts(conversation, Direction::Outgoing)?,
        &wanted,
    )
}

/// Sara with two devices, and Leila.
struct Trio {
    first: Sotto,
    second: Sotto,
    leila: Sotto,
}

impl Trio {
    fn new(world: &World<'_>) -> Step<Self> {
        let mut first = world.signed_in("sara")?;
        let mut leila = world.signed_in("leila")?;
        befriend(&mut first, &mut leila)?;
        let mut second = world.sotto("sara's second")?;
        second.sign_in(&first.address(), PASSWORD, world.server.by_starttls())?;
        Ok(Self {
            first,
            second,
            leila,
        })
    }

    /// Each round is a question from the first device and an answer from Leila.
    fn talk_without_second(&mut self, rounds: std::ops::RangeInclusive<u32>) -> Step {
        let to_leila = self.first.talk_to(&self.leila.address())?;
        let to_sara = self.leila.talk_to(&self.first.address())?;
        for n in rounds {
            let question = self.first.say(to_leila, &format!("question {n}"))?;
            self.leila.hears(to_sara, &format!("question {n}"))?;
            self.first.reaches(question, Delivery::Sent)?;
            self.leila.say(to_sara, &format!("answer {n}"))?;
            self.first.hears(to_leila, &format!("answer {n}"))?;
        }
        Ok(())
    }

    fn talk(&mut self, rounds: std::ops::RangeInclusive<u32>) -> Step {
        let last = *rounds.end();
        self.talk_without_second(rounds)?;
        self.wait_for_second(last)
    }

    fn wait_for_second(&mut self, round: u32) -> Step {
        let there = self.second.talk_to(&self.leila.address())?;
        self.second.hears(there, &format!("answer {round}"))?;
        Ok(())
    }

    fn said_on_first(&mut self) -> Step<Vec<String>> {
        let conversation = self.first.talk_to(&self.leila.address())?;
        all(&mut self.first, conversation)
    }

    fn said_on_second(&mut self) -> Step<Vec<String>> {
        let conversation = self.second.talk_to(&self.leila.address())?;
        all(&mut self.second, conversation)
    }
}

fn all(sotto: &mut Sotto, conversation: sotto_api::ConversationId) -> Step<Vec<String>> {
    let messages = sotto.history(conversation)?;
    Ok(messages.into_iter().map(|m| m.body).collect())
}

fn spoken(rounds: std::ops::RangeInclusive<u32>) -> Vec<String> {
    rounds
        .flat_map(|n| [format!("question {n}"), format!("answer {n}")])
        .collect()
}
