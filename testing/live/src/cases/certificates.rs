//! Certificates that nobody vouches for, or that are not the ones known.

use sotto_api::view::{AccountState, QuestionView};
use sotto_api::{AccountId, CertificateAnswer, Problem, Request};
use sotto_testkit::ca::Authority;
use sotto_testkit::rpc::{Failure, Step};

use super::{BOTH, Case, case, ensure};
use crate::server::Options;
use crate::sotto::Sotto;
use crate::world::{PASSWORD, World};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "an unknown certificate is asked about: rejected, accepted this time, or always; a changed one again",
            BOTH,
            unknown_and_changed,
        ),
        case(
            "a certificate for another name is not accepted",
            BOTH,
            other_name,
        ),
    ]
}

fn unknown_and_changed(world: &World<'_>) -> Step {
    let strangers = Authority::new()?;
    let mut server = world
        .tools
        .server(world.kind, Options::default(), &strangers)?;
    let address = world.account_at(&server, "sara")?;
    let mut sotto = world.sotto("sara")?;
    let account = sotto.add(&address, PASSWORD, server.by_starttls())?;

    // Reject: stays offline, nothing was sent.
    let first = answer(&mut sotto, account, CertificateAnswer::Reject)?;
    let view = sotto.account_is("stopped", account, |v| {
        !matches!(
            v.state,
            AccountState::NeedsAnswer | AccountState::Connecting
        )
    })?;
    ensure(
        view.state == AccountState::Stopped
            && view
                .problem
                .as_ref()
                .is_some_and(|p| p.problem == Problem::Certificate),
        || format!("after *reject* it stands at {view:?}"),
    )?;

    // This time: online, but asked again by the next start.
    sotto.ask(Request::AccountRetry {
        account: Some(account),
    })?;
    answer(&mut sotto, account, CertificateAnswer::ThisTime)?;
    sotto.online(account)?;
    sotto.quit()?;
    sotto.again()?;

    // Always: not asked any more.
    answer(&mut sotto, account, CertificateAnswer::Always)?;
    let view = sotto.online(account)?;
    ensure(view.accepted_certificates.len() == 1, || {
        format!("accepted: {:?}", view.accepted_certificates)
    })?;
    sotto.quit()?;
    sotto.again()?;
    sotto.online(account)?;

    // Changed: asked again, with both to compare.
    let identity = server.identity(&strangers)?;
    server.present(&identity)?;
    server.restart()?;
    let question = sotto.question()?;
    let QuestionView::Certificate { before, now, .. } = &question else {
        return Err(Failure::new(format!("another question: {question:?}")));
    };
    let before = before
        .as_ref()
        .ok_or_else(|| Failure::new("the one known so far is not shown"))?;
    ensure(
        before.key_sha256 == first && now.summary.key_sha256 != first,
        || format!("before {before:?}, now {now:?}"),
    )?;
    answer(&mut sotto, account, CertificateAnswer::Always)?;
    sotto.online(account)?;
    Ok(())
}

fn other_name(world: &World<'_>) -> Step {
    let server = world
        .tools
        .server(world.kind, Options::default(), &world.tools.authority)?;
    let identity = world.tools.authority.issue(&["elsewhere.test"])?;
    let mut server = server;
    server.present(&identity)?;
    server.restart()?;
    let address = world.account_at(&server, "sara")?;
    let mut sotto = world.sotto("sara")?;
    let account = sotto.add(&address, PASSWORD, server.by_direct_tls())?;
    let question = sotto.question()?;
    let QuestionView::Certificate { domain, now, .. } = &question else {
        return Err(Failure::new(format!("another question: {question:?}")));
    };
    ensure(
        *domain == server.domain && now.names.iter().any(|n| n == "elsewhere.test"),
        || format!("the question is {question:?}"),
    )?;
    let view = sotto.view(account)?;
    ensure(view.state == AccountState::NeedsAnswer, || {
        format!("it stands at {:?}", view.state)
    })
}

/// Answers the question that waits, and gives the SHA-256 of the key that it was about.
fn answer(sotto: &mut Sotto, account: AccountId, answer: CertificateAnswer) -> Step<String> {
    let question = sotto.question()?;
    let QuestionView::Certificate {
        id,
        account: of,
        now,
        ..
    } = question
    else {
        return Err(Failure::new(format!("another question: {question:?}")));
    };
    ensure(of == Some(account), || format!("it is about {of:?}"))?;
    sotto.ask(Request::CertificateAnswer {
        question: id,
        answer,
    })?;
    Ok(now.summary.key_sha256)
}
