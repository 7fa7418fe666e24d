//! What a person decides about what is kept, with a server that keeps everything.

use sotto_api::view::{Delivery, EraseScope};
use sotto_api::{Reply, Request};
use sotto_testkit::rpc::Step;

use super::{BOTH, Case, case, ensure, same};
use crate::sotto::{Sotto, befriend};
use crate::world::World;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "s_store_07: an erased conversation does not come back from the server's archive",
            BOTH,
            erased,
        ),
        case(
            "s_store_05: what is not kept is gone with the program, for one side only",
            BOTH,
            not_kept,
        ),
    ]
}

fn erased(world: &World<'_>) -> Step {
    let mut sara = world.signed_in("sara")?;
    let mut leila = world.signed_in("leila")?;
    befriend(&mut sara, &mut leila)?;
    let to_leila = sara.talk_to(&leila.address())?;
    let to_sara = leila.talk_to(&sara.address())?;
    for n in 0..5 {
        let theirs = leila.say(to_sara, &format!("theirs {n}"))?;
        leila.reaches(theirs, Delivery::Delivered)?;
        let mine = sara.say(to_leila, &format!("mine {n}"))?;
        sara.reaches(mine, Delivery::Delivered)?;
    }
    // The last words are one's own: no message after them has moved the mark in the archive.
    let last = sara.say(to_leila, "mine, the last")?;
    sara.reaches(last, Delivery::Delivered)?;
    sara.ask(Request::MessageCorrect {
        message: last,
        body: "mine, corrected".to_owned(),
    })?;
    leila.hears(to_sara, "mine, corrected")?;
    let what = EraseScope::Conversation {
        conversation: to_leila,
    };
    let Reply::Erased(view) = sara.ask(Request::HistoryErase { what })? else {
        return ensure(false, || "no count of what was erased".to_owned());
    };
    same("erased messages", &view.messages, &11)?;
    for killed in [false, true] {
        nothing_but(&mut sara, &leila, &[])?;
        if killed {
            sara.kill();
        } else {
            sara.quit()?;
        }
        sara.again()?;
        let account = sara.account()?;
        sara.online(account)?;
    }
    leila.say(to_sara, "after it")?;
    let to_leila = sara.talk_to(&leila.address())?;
    sara.hears(to_leila, "after it")?;
    nothing_but(&mut sara, &leila, &["after it"])?;
    same("what leila has", &leila.history(to_sara)?.len(), &12)
}

/// Also when somebody looks for what is older.
fn nothing_but(sara: &mut Sotto, leila: &Sotto, wanted: &[&str]) -> Step {
    let to_leila = sara.talk_to(&leila.address())?;
    for _ in 0..3 {
        let bodies: Vec<String> = sara
            .history(to_leila)?
            .into_iter()
            .map(|message| message.body)
            .collect();
        same(
            "what is left",
            &bodies,
            &wanted.iter().map(|body| (*body).to_owned()).collect(),
        )?;
    }
    Ok(())
}

fn not_kept(world: &World<'_>) -> Step {
    let mut sara = world.signed_in("sara")?;
    let mut leila = world.signed_in("leila")?;
    befriend(&mut sara, &mut leila)?;
    let to_leila = sara.talk_to(&leila.address())?;
    let to_sara = leila.talk_to(&sara.address())?;
    sara.ask(Request::HistorySet {
        conversation: to_leila,
        keep: Some(false),
        expiry: None,
    })?;
    let mine = sara.say(to_leila, "mine")?;
    sara.reaches(mine, Delivery::Delivered)?;
    leila.say(to_sara, "theirs")?;
    let theirs = sara.hears(to_leila, "theirs")?;
    ensure(!theirs.kept, || "it says that it is kept".to_owned())?;
    sara.quit()?;
    sara.again()?;
    let account = sara.account()?;
    sara.online(account)?;
    leila.say(to_sara, "later")?;
    let later = sara.hears(to_leila, "later")?;
    ensure(!later.kept, || "the choice did not last".to_owned())?;
    let kept: Vec<String> = sara
        .history(to_leila)?
        .into_iter()
        .filter(|message| message.kept)
        .map(|message| message.body)
        .collect();
    same("what is kept", &kept, &Vec::new())?;
    same("what leila has", &leila.history(to_sara)?.len(), &3)
}
