//! Accounts made from inside (XEP-0077).

use sotto_api::view::{
    AccountState, FieldKind, FormAnswer, FormView, RegistrationState, RegistrationView,
};
use sotto_api::{Problem, RegistrationId, Reply, Request, Secret};
use sotto_testkit::rpc::{Failure, Step};

use super::{BOTH, Case, PROSODY, case, ensure};
use crate::sotto::{SOON, Sotto, by};
use crate::world::{PASSWORD, World};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "an account is created from inside and signs in",
            BOTH,
            create,
        ),
        case(
            "a taken name says so and lets another be tried",
            BOTH,
            taken_name,
        ),
        case("a server that makes no accounts says so", BOTH, closed),
        case(
            "a form with more fields is shown and answered",
            PROSODY,
            longer_form,
        ),
    ]
}

fn create(world: &World<'_>) -> Step {
    let mut sotto = world.sotto("newcomer")?;
    let (id, form) = start(world, &mut sotto, &world.server.domain)?;
    let name = world.name("newcomer");
    let done = submit(&mut sotto, id, &form, &name)?;
    let RegistrationState::Done { account } = done.state else {
        return Err(Failure::new(format!("not done: {done:?}")));
    };
    let view = sotto.online(account)?;
    ensure(
        view.address == format!("{name}@{}", world.server.domain),
        || format!("the account is {}", view.address),
    )?;
    ensure(view.remembered, || "the password was not kept".to_owned())
}

fn taken_name(world: &World<'_>) -> Step {
    let taken = world.account("taken")?;
    let taken = taken.split('@').next().unwrap_or_default();
    let mut sotto = world.sotto("latecomer")?;
    let (id, form) = start(world, &mut sotto, &world.server.domain)?;
    let refused = submit(&mut sotto, id, &form, taken)?;
    let problem = refused.problem.as_ref().map(|p| p.problem.clone());
    ensure(problem == Some(Problem::NameTaken), || {
        format!("not told as taken: {refused:?}")
    })?;
    let RegistrationState::Form { form } = refused.state else {
        return Err(Failure::new(format!("the form is gone: {refused:?}")));
    };
    let done = submit(&mut sotto, id, &form, &world.name("latecomer"))?;
    let RegistrationState::Done { account } = done.state else {
        return Err(Failure::new(format!(
            "the second name did not work: {done:?}"
        )));
    };
    sotto.online(account)?;
    Ok(())
}

fn closed(world: &World<'_>) -> Step {
    let mut sotto = world.sotto("unwanted")?;
    let domain = format!("closed.{}", world.server.domain);
    let mut view = settled(world, &mut sotto, &domain)?;
    // Prosody says so at once; ejabberd shows its form first and refuses the answers.
    if let RegistrationState::Form { form } = &view.state {
        view = submit(&mut sotto, view.id, form, &world.name("unwanted"))?;
    }
    let problem = view.problem.as_ref().map(|p| p.problem.clone());
    ensure(problem == Some(Problem::RegistrationClosed), || {
        format!("not told as closed: {view:?}")
    })
}

fn longer_form(world: &World<'_>) -> Step {
    let mut sotto = world.sotto("talkative")?;
    let (id, form) = start(world, &mut sotto, &format!("form.{}", world.server.domain))?;
    ensure(form.fields.iter().any(|f| f.name == "email"), || {
        format!("no field for the e-mail address: {form:?}")
    })?;
    let done = submit(&mut sotto, id, &form, &world.name("talkative"))?;
    let RegistrationState::Done { account } = done.state else {
        return Err(Failure::new(format!("not done: {done:?}")));
    };
    sotto.account_is("online", account, |v| v.state == AccountState::Online)?;
    Ok(())
}

fn start(world: &World<'_>, sotto: &mut Sotto, domain: &str) -> Step<(RegistrationId, FormView)> {
    let view = settled(world, sotto, domain)?;
    match view.state {
        RegistrationState::Form { form } => Ok((view.id, form)),
        _ => Err(Failure::new(format!("no form came: {view:?}"))),
    }
}

fn settled(world: &World<'_>, sotto: &mut Sotto, domain: &str) -> Step<RegistrationView> {
    let reply = sotto.ask(Request::RegistrationStart {
        server: domain.to_owned(),
        settings: by(world.server.by_starttls()),
    })?;
    let Reply::Registration(view) = reply else {
        return Err(Failure::new("not a registration"));
    };
    settle(sotto, view.id)
}

fn settle(sotto: &mut Sotto, registration: RegistrationId) -> Step<RegistrationView> {
    sotto.until("the registration to move on", SOON, |sotto| {
        match sotto.ask(Request::RegistrationView { registration })? {
            Reply::Registration(view) => Ok(Some(view).filter(|v| {
                !matches!(
                    v.state,
                    RegistrationState::Connecting | RegistrationState::Submitting
                )
            })),
            _ => Err(Failure::new("not a registration")),
        }
    })
}

fn submit(
    sotto: &mut Sotto,
    registration: RegistrationId,
    form: &FormView,
    name: &str,
) -> Step<RegistrationView> {
    let answers = form
        .fields
        .iter()
        .filter_map(|field| {
            let value = match field.kind {
                FieldKind::Fixed => return None,
                FieldKind::Username => name.to_owned(),
                FieldKind::Password => PASSWORD.to_owned(),
                FieldKind::Hidden => field.value.clone(),
                _ => format!("{name}@elsewhere.test"),
            };
            Some(FormAnswer {
                name: field.name.clone(),
                values: vec![Secret::new(value)],
            })
        })
        .collect();
    sotto.ask(Request::RegistrationSubmit {
        registration,
        answers,
        remember: true,
    })?;
    settle(sotto, registration)
}
