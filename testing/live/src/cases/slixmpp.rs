//! Talk with a program that we did not write.

use serde_json::json;
use sotto_api::view::{Availability, Delivery, Settings};
use sotto_api::{Request, SubscriptionAnswer};
use sotto_testkit::rpc::Step;

use super::{BOTH, Case, case, ensure, same};
use crate::peer::Peer;
use crate::sotto::{SOON, Sotto};
use crate::world::World;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "the set-up itself works: two slixmpp talk, and the archive has it",
            BOTH,
            set_up,
        ),
        case(
            "slixmpp and Sotto talk, with receipts both ways",
            BOTH,
            talk,
        ),
        case(
            "a correction by slixmpp replaces its message, and Sotto's correction reaches it",
            BOTH,
            correction,
        ),
        case(
            "slixmpp and Sotto tell each other who is writing and what was seen",
            BOTH,
            states,
        ),
        case(
            "slixmpp sees presence and status, and Sotto sees slixmpp's",
            BOTH,
            presence,
        ),
    ]
}

/// Without it, a failure of the others would say little about Sotto.
fn set_up(world: &World<'_>) -> Step {
    let (mut one, mut other) = (world.peer("slix")?, world.peer("slix")?);
    one.send(other.address(), "is this thing on?")?;
    other.message("is this thing on?")?;
    let partner = other.address().to_owned();
    one.tell(&json!({ "do": "archive", "partner": partner }))?;
    let archive = one.wait("archive", |_| true)?;
    same(
        "the archive",
        &archive["messages"],
        &json!([[one.address(), "is this thing on?"]]),
    )
}

fn talk(world: &World<'_>) -> Step {
    let (mut sara, mut peer) = friends(world)?;
    let conversation = sara.talk_to(peer.address())?;
    let message = sara.say(conversation, "hello, who wrote you?")?;
    peer.message("hello, who wrote you?")?;
    sara.reaches(message, Delivery::Delivered)?;
    let id = peer.send(&sara.address(), "somebody else")?;
    sara.hears(conversation, "somebody else")?;
    peer.wait("receipt", |e| e["id"] == id.as_str())?;
    Ok(())
}

fn correction(world: &World<'_>) -> Step {
    let (mut sara, mut peer) = friends(world)?;
    let conversation = sara.talk_to(peer.address())?;
    let id = peer.send(&sara.address(), "at sevn")?;
    sara.hears(conversation, "at sevn")?;
    peer.tell(&json!({ "do": "correct", "to": sara.address(), "id": id, "body": "at seven" }))?;
    let view = sara.hears(conversation, "at seven")?;
    ensure(view.edited, || format!("it is {view:?}"))?;
    same("how many lines", &sara.history(conversation)?.len(), &1)?;
    let message = sara.say(conversation, "fine, at sevn")?;
    let heard = peer.message("fine, at sevn")?;
    sara.reaches(message, Delivery::Delivered)?;
    sara.ask(Request::MessageCorrect {
        message,
        body: "fine, at seven".to_owned(),
    })?;
    let corrected = peer.message("fine, at seven")?;
    same(
        "which message it replaces",
        &corrected["replaces"],
        &heard["id"],
    )
}

fn states(world: &World<'_>) -> Step {
    let (mut sara, mut peer) = friends(world)?;
    sara.ask(Request::SettingsSet {
        settings: Settings {
            send_displayed: true,
            ..Settings::default()
        },
    })?;
    let conversation = sara.talk_to(peer.address())?;
    let message = sara.say(conversation, "hello")?;
    let heard = peer.message("hello")?;
    peer.tell(&json!({ "do": "displayed", "to": sara.address(), "id": heard["id"] }))?;
    sara.reaches(message, Delivery::Seen)?;
    peer.tell(&json!({ "do": "typing", "to": sara.address(), "state": "composing" }))?;
    sara.until("slixmpp to be writing", SOON, |s| {
        Ok(s.conversation(conversation)?.typing.then_some(()))
    })?;
    let id = peer.send(&sara.address(), "hello yourself")?;
    sara.hears(conversation, "hello yourself")?;
    ensure(!sara.conversation(conversation)?.typing, || {
        "still writing".to_owned()
    })?;
    sara.ask(Request::ConversationRead { conversation })?;
    peer.wait("displayed", |e| e["id"] == id.as_str())?;
    sara.ask(Request::Typing {
        conversation,
        active: true,
    })?;
    peer.wait("typing", |e| e["state"] == "composing")?;
    Ok(())
}

fn presence(world: &World<'_>) -> Step {
    let (mut sara, mut peer) = friends(world)?;
    sara.ask(Request::StatusSet {
        account: None,
        availability: Availability::Busy,
        text: "at work".to_owned(),
    })?;
    peer.wait("presence", |e| {
        e["type"] == "dnd" && e["status"] == "at work"
    })?;
    peer.tell(&json!({ "do": "presence", "show": "xa", "status": "on holiday" }))?;
    sara.contact_is("away for long", peer.address(), |c| {
        c.availability == Availability::ExtendedAway && c.status_text == "on holiday"
    })?;
    sara.quit()?;
    peer.wait("presence", |e| e["type"] == "unavailable")?;
    Ok(())
}

/// A Sotto and a slixmpp that see each other's presence.
pub(super) fn friends(world: &World<'_>) -> Step<(Sotto, Peer)> {
    let mut sara = world.signed_in("sara")?;
    let mut peer = world.peer("slix")?;
    befriend(&mut sara, &mut peer)?;
    Ok((sara, peer))
}

/// Makes both see each other's presence.
pub(super) fn befriend(sara: &mut Sotto, peer: &mut Peer) -> Step {
    let me = sara.address();
    sara.add_contact(peer.address())?;
    peer.wait("subscribe", |e| e["jid"] == me.as_str())?;
    peer.tell(&json!({ "do": "accept", "to": me }))?;
    peer.tell(&json!({ "do": "subscribe", "to": me }))?;
    sara.answer(peer.address(), SubscriptionAnswer::Accept)?;
    peer.wait("subscribed", |e| e["jid"] == me.as_str())?;
    sara.contact_is("available", peer.address(), |c| {
        c.availability == Availability::Available
    })?;
    Ok(())
}
