//! `sotto-cli status`: where the accounts stand, and what others see.

use std::io::Write;

use sotto_api::{Reply, Request};

use crate::args::StatusArgs;
use crate::failure::Done;
use crate::output::text;
use crate::session::{OnTrouble, Session};

pub(super) fn run<W: Write>(args: StatusArgs, session: &mut Session<'_, W>) -> Done {
    let account = match &args.account {
        Some(address) => Some(session.account_at(address)?.id),
        None => None,
    };
    if let Some(availability) = args.availability {
        session.call(Request::StatusSet {
            account,
            availability: availability.into(),
            text: args.text,
        })?;
        return session
            .out
            .result(&Reply::Done, || "Your status was set.".to_owned());
    }
    // A command of its own has only just begun to sign in: give each account the chance to say how it went.
    let enabled: Vec<_> = session
        .accounts()?
        .into_iter()
        .filter(|a| a.enabled && account.is_none_or(|id| id == a.id))
        .map(|a| a.id)
        .collect();
    for id in enabled {
        // Why it is not signed in stands in the account itself, which is printed below.
        let _ = session.online(id, OnTrouble::Tell);
    }
    let mut accounts = session.accounts()?;
    accounts.retain(|a| account.is_none_or(|id| id == a.id));
    session.out.result(&accounts, || text::accounts(&accounts))
}
