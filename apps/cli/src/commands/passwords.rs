//! `sotto-cli passwords …`

use std::io::Write;

use sotto_api::view::SavedPasswordView;
use sotto_api::{Reply, Request};

use super::confirmed;
use crate::args::PasswordsCommand;
use crate::failure::{Done, Failure};
use crate::output::text;
use crate::session::{Session, unexpected};

pub(super) fn run<W: Write>(command: PasswordsCommand, session: &mut Session<'_, W>) -> Done {
    match command {
        PasswordsCommand::List => list(session),
        PasswordsCommand::Remove { address, all, yes } => {
            let account = match &address {
                Some(address) => Some(session.account_at(address)?.id),
                None => None,
            };
            let question =
                "Every kept password will be forgotten; each account asks at its next sign-in.";
            if all && !confirmed(session, yes, question, "forget")? {
                return Err(Failure::Usage("Nothing was forgotten.".to_owned()));
            }
            session.call(Request::SavedPasswordRemove { account })?;
            list(session)
        }
        PasswordsCommand::Show { address } => {
            let account = session.account_at(&address)?.id;
            let passphrase = session.asker.secret("Passphrase of the profile")?;
            let reply = session.call(Request::SavedPasswordShow {
                account,
                passphrase,
            })?;
            let Reply::Password(password) = reply else {
                return Err(unexpected());
            };
            session
                .out
                .result(&password, || password.expose().to_owned())
        }
    }
}

fn list<W: Write>(session: &mut Session<'_, W>) -> Done {
    let Reply::SavedPasswords(views) = session.call(Request::SavedPasswordList {})? else {
        return Err(unexpected());
    };
    let zone = session.zone.clone();
    session.out.result(&views, || {
        if views.is_empty() {
            return "No password is kept.".to_owned();
        }
        let line = |view: &SavedPasswordView| {
            format!(
                "{}  {}  since {}",
                text::plain(&view.network),
                text::plain(&view.address),
                text::time(view.stored_at, &zone)
            )
        };
        views.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}
