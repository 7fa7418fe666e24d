//! One-to-one conversations.

use sotto_api::view::{Delivery, Direction, MessageKind, Settings};
use sotto_api::{Reply, Request};
use sotto_testkit::rpc::{Failure, Step};

use super::{BOTH, Case, case, ensure, same};
use crate::sotto::{SOON, befriend};
use crate::world::World;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "two people talk, and the ticks say how far each message got",
            BOTH,
            ticks,
        ),
        case(
            "a displayed marker is sent only where it is switched on",
            BOTH,
            seen,
        ),
        case(
            "a corrected message replaces the old one, which stays readable",
            BOTH,
            correction,
        ),
        case("the other side sees that somebody is writing", BOTH, typing),
        case(
            "messages sent while the other is away arrive once, in order",
            BOTH,
            offline,
        ),
        case(
            "letters of every script, emoji and markup arrive as they were written",
            BOTH,
            scripts,
        ),
        case(
            "unread messages are counted until the conversation is read",
            BOTH,
            unread,
        ),
        case(
            "a stranger's message arrives, marked as a stranger's",
            BOTH,
            stranger,
        ),
    ]
}

fn ticks(world: &World<'_>) -> Step {
    let mut sara = world.signed_in("sara")?;
    let mut leila = world.signed_in("leila")?;
    befriend(&mut sara, &mut leila)?;
    let to_leila = sara.talk_to(&leila.address())?;
    let to_sara = leila.talk_to(&sara.address())?;
    for round in 1..=5 {
        let one = sara.say(to_leila, &format!("sara {round}"))?;
        leila.hears(to_sara, &format!("sara {round}"))?;
        let other = leila.say(to_sara, &format!("leila {round}"))?;
        sara.hears(to_leila, &format!("leila {round}"))?;
        sara.reaches(one, Delivery::Delivered)?;
        leila.reaches(other, Delivery::Delivered)?;
    }
    let both: Vec<String> = sara
        .history(to_leila)?
        .into_iter()
        .map(|m| m.body)
        .collect();
    let wanted: Vec<String> = (1..=5)
        .flat_map(|n| [format!("sara {n}"), format!("leila {n}")])
        .collect();
    same("the conversation", &both, &wanted)?;
    let same_there: Vec<String> = leila
        .history(to_sara)?
        .into_iter()
        .map(|m| m.body)
        .collect();
    same("the other side's conversation", &same_there, &wanted)
}

fn seen(world: &World<'_>) -> Step {
    let mut sara = world.signed_in("sara")?;
    let mut leila = world.signed_in("leila")?;
    befriend(&mut sara, &mut leila)?;
    let to_leila = sara.talk_to(&leila.address())?;
    let to_sara = leila.talk_to(&sara.address())?;
    let first = sara.say(to_leila, "one")?;
    leila.hears(to_sara, "one")?;
    leila.ask(Request::ConversationRead {
        conversation: to_sara,
    })?;
    sara.reaches(first, Delivery::Delivered)?;
    // Leila's answer comes behind a marker, if one had been sent.
    leila.say(to_sara, "answer")?;
    sara.hears(to_leila, "answer")?;
    let view = sara.message(first)?;
    ensure(view.delivery == Some(Delivery::Delivered), || {
        format!("told as {:?} though markers are off", view.delivery)
    })?;
    leila.ask(Request::SettingsSet {
        settings: Settings {
            send_displayed: true,
            ..Settings::default()
        },
    })?;
    let second = sara.say(to_leila, "two")?;
    leila.hears(to_sara, "two")?;
    leila.ask(Request::ConversationRead {
        conversation: to_sara,
    })?;
    sara.reaches(second, Delivery::Seen)?;
    Ok(())
}

fn correction(world: &World<'_>) -> Step {
    let mut sara = world.signed_in("sara")?;
    let mut leila = world.signed_in("leila")?;
    befriend(&mut sara, &mut leila)?;
    let to_leila = sara.talk_to(&leila.address())?;
    let to_sara = leila.talk_to(&sara.address())?;
    let message = sara.say(to_leila, "see you at sevn")?;
    let heard = leila.hears(to_sara, "see you at sevn")?;
    sara.reaches(message, Delivery::Delivered)?;
    sara.ask(Request::MessageCorrect {
        message,
        body: "see you at seven".to_owned(),
    })?;
    let corrected = leila.hears(to_sara, "see you at seven")?;
    ensure(corrected.id == heard.id && corrected.edited, || {
        format!("it is {corrected:?}")
    })?;
    same(
        "what it said before",
        &corrected.previous,
        &vec!["see you at sevn".to_owned()],
    )?;
    let own = sara.message(message)?;
    ensure(own.edited && own.body == "see you at seven", || {
        format!("own: {own:?}")
    })?;
    same("how many lines", &leila.history(to_sara)?.len(), &1)
}

fn typing(world: &World<'_>) -> Step {
    let mut sara = world.signed_in("sara")?;
    let mut leila = world.signed_in("leila")?;
    befriend(&mut sara, &mut leila)?;
    let to_leila = sara.talk_to(&leila.address())?;
    let to_sara = leila.talk_to(&sara.address())?;
    // A first message tells each which of the other's programs to talk to.
    sara.say(to_leila, "hello")?;
    leila.hears(to_sara, "hello")?;
    leila.say(to_sara, "hello yourself")?;
    sara.hears(to_leila, "hello yourself")?;
    sara.ask(Request::Typing {
        conversation: to_leila,
        active: true,
    })?;
    let is = |wanted: bool, sotto: &mut crate::sotto::Sotto| {
        sotto.until(&format!("typing to be {wanted}"), SOON, |s| {
            Ok((s.conversation(to_sara)?.typing == wanted).then_some(()))
        })
    };
    is(true, &mut leila)?;
    sara.ask(Request::Typing {
        conversation: to_leila,
        active: false,
    })?;
    is(false, &mut leila)
}

fn offline(world: &World<'_>) -> Step {
    let mut sara = world.signed_in("sara")?;
    let mut leila = world.signed_in("leila")?;
    befriend(&mut sara, &mut leila)?;
    let to_sara = leila.talk_to(&sara.address())?;
    leila.quit()?;
    let to_leila = sara.talk_to(&leila.address())?;
    let wanted: Vec<String> = (1..=20)
        .map(|n| format!("while you were away {n}"))
        .collect();
    let mut last = None;
    for body in &wanted {
        last = Some(sara.say(to_leila, body)?);
    }
    let last = last.ok_or_else(|| Failure::new("nothing was said"))?;
    sara.reaches(last, Delivery::Sent)?;
    leila.again()?;
    leila.hears(to_sara, "while you were away 20")?;
    sara.reaches(last, Delivery::Delivered)?;
    same(
        "what arrived",
        &leila.texts(to_sara, Direction::Incoming)?,
        &wanted,
    )
}

fn scripts(world: &World<'_>) -> Step {
    let mut sara = world.signed_in("sara")?;
    let mut leila = world.signed_in("leila")?;
    befriend(&mut sara, &mut leila)?;
    let to_leila = sara.talk_to(&leila.address())?;
    let to_sara = leila.talk_to(&sara.address())?;
    let texts = [
        "مرحبا، كيف حالك؟ السابعة مساءً",
        "שלום עולם",
        "日本語と한국어",
        "🧵🦊👩🏽‍🚀 done",
        "<b>not bold</b> & \"quoted\" 'too' ]]>",
        "two\nlines\n\nand a gap",
        "  spaces before and behind  ",
    ];
    for text in texts {
        sara.say(to_leila, text)?;
    }
    leila.hears(to_sara, texts[texts.len() - 1])?;
    let wanted: Vec<String> = texts.iter().map(|&t| t.to_owned()).collect();
    same(
        "what arrived",
        &leila.texts(to_sara, Direction::Incoming)?,
        &wanted,
    )?;
    sara.say(to_leila, "/me waves")?;
    let action = leila.until("the action", SOON, |s| {
        Ok(s.page(to_sara, None)?
            .0
            .into_iter()
            .find(|m| m.kind == MessageKind::Action))
    })?;
    ensure(
        action.body.ends_with(" waves") && !action.body.contains("/me"),
        || format!("the action reads {:?}", action.body),
    )
}

fn unread(world: &World<'_>) -> Step {
    let mut sara = world.signed_in("sara")?;
    let mut leila = world.signed_in("leila")?;
    befriend(&mut sara, &mut leila)?;
    let to_leila = sara.talk_to(&leila.address())?;
    let to_sara = leila.talk_to(&sara.address())?;
    for n in 1..=3 {
        sara.say(to_leila, &format!("news {n}"))?;
    }
    let third = leila.hears(to_sara, "news 3")?;
    let view = leila.conversation(to_sara)?;
    let first = leila.history(to_sara)?.first().map(|m| m.id);
    ensure(view.unread == 3 && view.first_unread == first, || {
        format!("{} unread from {:?}", view.unread, view.first_unread)
    })?;
    leila.ask(Request::ConversationRead {
        conversation: to_sara,
    })?;
    same("unread", &leila.conversation(to_sara)?.unread, &0)?;
    leila.ask(Request::DraftSet {
        conversation: to_sara,
        body: "not yet sent".to_owned(),
    })?;
    leila.quit()?;
    leila.again()?;
    let view = leila.conversation(to_sara)?;
    ensure(view.draft == "not yet sent" && view.unread == 0, || {
        format!("after a new start: {view:?}")
    })?;
    let reply = leila.ask(Request::Search {
        query: "news".to_owned(),
        conversation: None,
        before: None,
        limit: 10,
    })?;
    let Reply::Found(found) = reply else {
        return Err(Failure::new("not a page of finds"));
    };
    ensure(
        found.hits.len() == 3 && found.hits.first().is_some_and(|h| h.message.id == third.id),
        || format!("{} finds", found.hits.len()),
    )
}

fn stranger(world: &World<'_>) -> Step {
    let mut sara = world.signed_in("sara")?;
    let mut omar = world.signed_in("omar")?;
    let to_sara = omar.talk_to(&sara.address())?;
    let message = omar.say(to_sara, "you do not know me")?;
    omar.reaches(message, Delivery::Sent)?;
    let from_omar = sara.talk_to(&omar.address())?;
    sara.hears(from_omar, "you do not know me")?;
    let view = sara.conversation(from_omar)?;
    ensure(view.stranger && view.contact_id.is_none(), || {
        format!("it is {view:?}")
    })?;
    // A stranger gets no receipt: Sara's answer comes behind it, if one had been sent.
    sara.say(from_omar, "who are you?")?;
    omar.hears(to_sara, "who are you?")?;
    let delivery = omar.message(message)?.delivery;
    same("what a stranger learns", &delivery, &Some(Delivery::Sent))
}
