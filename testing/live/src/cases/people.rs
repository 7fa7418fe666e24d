//! The contact list, presence, requests and blocking.

use sotto_api::view::{Availability, Delivery, Subscription};
use sotto_api::{Request, SubscriptionAnswer};
use sotto_testkit::rpc::{Failure, Step};

use super::{BOTH, Case, case, ensure};
use crate::sotto::{SOON, befriend};
use crate::world::World;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "two people add each other and see each other's presence",
            BOTH,
            presence,
        ),
        case(
            "a refused request leaves both without presence",
            BOTH,
            refused,
        ),
        case(
            "a contact is renamed, moved and removed, on the server too",
            BOTH,
            list_changes,
        ),
        case(
            "a blocked contact is not heard until unblocked",
            BOTH,
            blocked,
        ),
    ]
}

fn presence(world: &World<'_>) -> Step {
    let mut sara = world.signed_in("sara")?;
    let mut leila = world.signed_in("leila")?;
    befriend(&mut sara, &mut leila)?;
    sara.contact_is("available", &leila.address(), |c| {
        c.availability == Availability::Available
    })?;
    leila.ask(Request::StatusSet {
        account: None,
        availability: Availability::Away,
        text: "out for tea".to_owned(),
    })?;
    sara.contact_is("away", &leila.address(), |c| {
        c.availability == Availability::Away && c.status_text == "out for tea"
    })?;
    leila.quit()?;
    sara.contact_is("offline", &leila.address(), |c| {
        c.availability == Availability::Offline
    })?;
    Ok(())
}

fn refused(world: &World<'_>) -> Step {
    let mut sara = world.signed_in("sara")?;
    let mut leila = world.signed_in("leila")?;
    sara.add_contact(&leila.address())?;
    sara.contact_is("asked", &leila.address(), |c| {
        c.addresses.iter().all(|a| a.asking)
    })?;
    leila.answer(&sara.address(), SubscriptionAnswer::Refuse)?;
    sara.contact_is("refused", &leila.address(), |c| {
        c.addresses
            .iter()
            .all(|a| !a.asking && a.subscription == Subscription::None)
    })?;
    Ok(())
}

fn list_changes(world: &World<'_>) -> Step {
    let mut sara = world.signed_in("sara")?;
    let mut leila = world.signed_in("leila")?;
    befriend(&mut sara, &mut leila)?;
    let address = leila.address();
    let contact = sara
        .contact(&address)?
        .and_then(|c| c.id)
        .ok_or_else(|| Failure::new("no contact"))?;
    sara.ask(Request::ContactRename {
        contact,
        name: "Leila from Riverside".to_owned(),
    })?;
    sara.ask(Request::ContactMove {
        contact,
        groups: vec!["Friends".to_owned(), "Choir".to_owned()],
    })?;
    // A second device sees what the server has.
    let mut second = world.sotto("sara's second")?;
    second.sign_in(
        &sara.address(),
        crate::world::PASSWORD,
        world.server.by_starttls(),
    )?;
    second.contact_is("renamed and moved", &address, |c| {
        let mut groups = c.groups.clone();
        groups.sort();
        c.name == "Leila from Riverside" && groups == ["Choir", "Friends"]
    })?;
    sara.ask(Request::ContactRemove { contact })?;
    let gone = |sotto: &mut crate::sotto::Sotto| -> Step {
        sotto.until("the contact to go", SOON, |s| {
            Ok(s.contact(&address)?.is_none().then_some(()))
        })
    };
    gone(&mut sara)?;
    gone(&mut second)?;
    leila.contact_is("no more seen", &sara.address(), |c| {
        c.addresses
            .iter()
            .all(|a| a.subscription == Subscription::None)
    })?;
    Ok(())
}

fn blocked(world: &World<'_>) -> Step {
    let mut sara = world.signed_in("sara")?;
    let mut leila = world.signed_in("leila")?;
    befriend(&mut sara, &mut leila)?;
    let account = sara.account()?;
    let block = |blocked| Request::Block {
        account,
        address: leila.address(),
        blocked,
    };
    let (on, off) = (block(true), block(false));
    sara.ask(on)?;
    sara.contact_is("blocked", &leila.address(), |c| c.blocked)?;
    let to_sara = leila.talk_to(&sara.address())?;
    leila.say(to_sara, "can you hear me?")?;
    // What Leila sends next arrives behind it, on the same stream and in order.
    let mut omar = world.signed_in("omar")?;
    befriend(&mut leila, &mut omar)?;
    let to_omar = leila.talk_to(&omar.address())?;
    let marker = leila.say(to_omar, "marker")?;
    leila.reaches(marker, Delivery::Delivered)?;
    sara.ask(off)?;
    sara.contact_is("not blocked", &leila.address(), |c| !c.blocked)?;
    leila.say(to_sara, "and now?")?;
    let from_leila = sara.talk_to(&leila.address())?;
    sara.hears(from_leila, "and now?")?;
    let heard = sara.texts(from_leila, sotto_api::view::Direction::Incoming)?;
    ensure(heard == ["and now?"], || format!("heard {heard:?}"))
}
