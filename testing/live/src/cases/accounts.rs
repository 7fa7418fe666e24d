//! Signing in, passwords, several accounts.

use sotto_api::view::{AccountState, AccountView, Availability, Delivery, PasswordChange};
use sotto_api::{Problem, Request, Secret};
use sotto_testkit::relay::Relay;
use sotto_testkit::rpc::Step;

use super::{BOTH, Case, case, ensure};
use crate::sotto::befriend;
use crate::world::{PASSWORD, World};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "sign-in over STARTTLS uses SCRAM, not PLAIN",
            BOTH,
            starttls,
        ),
        case(
            "sign-in over direct TLS uses SCRAM, not PLAIN",
            BOTH,
            direct_tls,
        ),
        case(
            "a wrong password is told, kept, and not tried again",
            BOTH,
            wrong_password,
        ),
        case(
            "a changed password replaces the old one everywhere",
            BOTH,
            password_change,
        ),
        case(
            "two accounts are online at once, each contact on the right one",
            BOTH,
            two_accounts,
        ),
        case(
            "an account is online again after a clean end and a new start",
            BOTH,
            new_start,
        ),
        case(
            "an account that is switched off stays off",
            BOTH,
            switched_off,
        ),
        case(
            "a removed account is gone, and its server hears of it no more",
            BOTH,
            removed,
        ),
    ]
}

fn starttls(world: &World<'_>) -> Step {
    let address = world.account("sara")?;
    let mut sotto = world.sotto("sara")?;
    let account = sotto.sign_in(&address, PASSWORD, world.server.by_starttls())?;
    scram(&sotto.view(account)?)
}

fn direct_tls(world: &World<'_>) -> Step {
    let address = world.account("sara")?;
    let mut sotto = world.sotto("sara")?;
    let account = sotto.sign_in(&address, PASSWORD, world.server.by_direct_tls())?;
    scram(&sotto.view(account)?)
}

fn scram(view: &AccountView) -> Step {
    let how = &view.connection;
    ensure(
        how.contains("SCRAM-") && how.contains("TLS 1.") && !how.contains("PLAIN"),
        || format!("the connection is {how:?}"),
    )
}

fn wrong_password(world: &World<'_>) -> Step {
    let address = world.account("sara")?;
    let relay = Relay::start(world.server.starttls())?;
    let mut via = world.server.by_starttls();
    via.port = relay.port();
    let mut sotto = world.sotto("sara")?;
    let account = sotto.add(&address, "not the password", via)?;
    let view = sotto.account_is("refused", account, |v| {
        v.state == AccountState::NeedsPassword
    })?;
    ensure(
        view.problem
            .as_ref()
            .is_some_and(|p| p.problem == Problem::WrongPassword),
        || format!("the problem is {:?}", view.problem),
    )?;
    let dialled = relay.accepted();
    // Another account's whole way to *Online* is time enough for a retry that must not happen.
    let other = world.account("other")?;
    sotto.sign_in(&other, PASSWORD, world.server.by_starttls())?;
    ensure(relay.accepted() == dialled, || {
        "it was tried again".to_owned()
    })?;
    sotto.ask(Request::AccountPassword {
        account,
        password: Secret::new(PASSWORD.to_owned()),
        remember: true,
    })?;
    let view = sotto.online(account)?;
    ensure(view.problem.is_none(), || {
        format!("the problem stays: {:?}", view.problem)
    })
}

fn password_change(world: &World<'_>) -> Step {
    const NEW: &str = "a new one, just as long";
    let mut sotto = world.signed_in("sara")?;
    let account = sotto.account()?;
    sotto.account_is("able to change its password", account, |v| {
        v.password_change == PasswordChange::Possible
    })?;
    sotto.ask(Request::AccountChangePassword {
        account,
        password: Secret::new(NEW.to_owned()),
    })?;
    let mut old = world.sotto("with the old password")?;
    let id = old.add(&sotto.address(), PASSWORD, world.server.by_starttls())?;
    old.account_is("refused", id, |v| v.state == AccountState::NeedsPassword)?;
    let mut new = world.sotto("with the new password")?;
    new.sign_in(&sotto.address(), NEW, world.server.by_starttls())?;
    // The one that changed it kept the new one.
    sotto.quit()?;
    sotto.again()?;
    sotto.online(account)?;
    Ok(())
}

fn two_accounts(world: &World<'_>) -> Step {
    let mut sara = world.signed_in("sara")?;
    let second = world.account("sara-work")?;
    let second_id = sara.sign_in(&second, PASSWORD, world.server.by_starttls())?;
    let mut leila = world.signed_in("leila")?;
    let mut omar = world.signed_in("omar")?;
    befriend(&mut sara, &mut leila)?;
    sara.ask(Request::ContactAdd {
        account: second_id,
        address: omar.address(),
        name: "Omar".to_owned(),
        groups: vec!["Work".to_owned()],
    })?;
    omar.answer(&second, sotto_api::SubscriptionAnswer::Accept)?;
    let contact = sara.contact_is("online", &omar.address(), |c| {
        c.availability == Availability::Available
    })?;
    ensure(
        contact.addresses.iter().all(|a| a.account == second_id),
        || format!("Omar is on another account: {contact:?}"),
    )?;
    let first_id = sara.account()?;
    let contact = sara.contact_is("in the list", &leila.address(), |_| true)?;
    ensure(
        contact.addresses.iter().all(|a| a.account == first_id),
        || format!("Leila is on another account: {contact:?}"),
    )?;
    let to_leila = sara.talk_by(first_id, &leila.address())?;
    let to_omar = sara.talk_by(second_id, &omar.address())?;
    let one = sara.say(to_leila, "from the first")?;
    let other = sara.say(to_omar, "from the second")?;
    sara.reaches(one, Delivery::Sent)?;
    sara.reaches(other, Delivery::Sent)?;
    let first = sara.address();
    let from_first = leila.talk_to(&first)?;
    leila.hears(from_first, "from the first")?;
    let from_second = omar.talk_to(&second)?;
    omar.hears(from_second, "from the second")?;
    Ok(())
}

fn new_start(world: &World<'_>) -> Step {
    let mut sotto = world.signed_in("sara")?;
    let account = sotto.account()?;
    sotto.quit()?;
    sotto.again()?;
    sotto.online(account)?;
    Ok(())
}

fn switched_off(world: &World<'_>) -> Step {
    let mut sotto = world.signed_in("sara")?;
    let account = sotto.account()?;
    sotto.ask(Request::AccountEnable {
        account,
        enabled: false,
    })?;
    sotto.account_is("off", account, |v| v.state == AccountState::Disabled)?;
    sotto.quit()?;
    sotto.again()?;
    let view = sotto.view(account)?;
    ensure(
        view.state == AccountState::Disabled && !view.enabled,
        || format!("it stands at {:?}", view.state),
    )?;
    sotto.ask(Request::AccountEnable {
        account,
        enabled: true,
    })?;
    sotto.online(account)?;
    Ok(())
}

fn removed(world: &World<'_>) -> Step {
    let mut sara = world.signed_in("sara")?;
    let mut leila = world.signed_in("leila")?;
    befriend(&mut sara, &mut leila)?;
    leila.contact_is("online", &sara.address(), |c| {
        c.availability == Availability::Available
    })?;
    let account = sara.account()?;
    sara.ask(Request::AccountRemove {
        account,
        erase_history: true,
    })?;
    leila.contact_is("offline", &sara.address(), |c| {
        c.availability == Availability::Offline
    })?;
    ensure(sara.view(account).is_err(), || {
        "it is still there".to_owned()
    })
}
