//! `sotto-cli profile …`

use std::io::Write;

use sotto_api::view::{ProfileState, ProfileView, ProtectionKind};
use sotto_api::{ErrorKind, Protection, Reply, Request};

use crate::args::{ProfileCommand, ProtectionArgs};
use crate::failure::{Done, Failure};
use crate::output::text;
use crate::session::{Session, unexpected};

pub(super) fn run<W: Write>(command: ProfileCommand, session: &mut Session<'_, W>) -> Done {
    match command {
        ProfileCommand::Status => {}
        ProfileCommand::Create(args) => {
            let protection = protection(&args, session)?;
            session.call(Request::ProfileCreate { protection })?;
        }
        ProfileCommand::Lock => {
            session.call(Request::ProfileLock {})?;
        }
        ProfileCommand::Unlock => session.open()?,
        ProfileCommand::Salvage => {
            let view = view(session)?;
            if view.state == ProfileState::Locked
                && view.protection == Some(ProtectionKind::Passphrase)
            {
                let passphrase = session.asker.secret("Passphrase of the profile")?;
                match session.call(Request::ProfileUnlock { passphrase }) {
                    // That it does not open is why this is run.
                    Err(Failure::Refused(error)) if error.kind == ErrorKind::Store => {}
                    unlocked => {
                        unlocked?;
                    }
                }
            }
            session.call(Request::ProfileSalvage {})?;
        }
        ProfileCommand::Protect(args) => {
            let view = view(session)?;
            let sealed = view.protection == Some(ProtectionKind::Passphrase);
            let current = if sealed && view.state != ProfileState::Absent {
                Some(session.asker.secret("Passphrase of the profile")?)
            } else {
                None
            };
            if let (ProfileState::Locked, Some(passphrase)) = (view.state, current.clone()) {
                session.call(Request::ProfileUnlock { passphrase })?;
            }
            let protection = protection(&args, session)?;
            session.call(Request::ProfileProtect {
                current,
                protection,
            })?;
        }
    }
    let view = view(session)?;
    session.out.result(&view, || text::profile(&view))
}

fn view<W: Write>(session: &Session<'_, W>) -> Done<ProfileView> {
    match session.call(Request::ProfileStatus {})? {
        Reply::Profile(view) => Ok(view),
        _ => Err(unexpected()),
    }
}

fn protection<W: Write>(args: &ProtectionArgs, session: &mut Session<'_, W>) -> Done<Protection> {
    if args.no_passphrase {
        return Ok(Protection::None);
    }
    loop {
        let passphrase = session.asker.new_secret("New passphrase")?;
        if !session.asker.interactive() {
            return Ok(Protection::Passphrase { passphrase });
        }
        let request = Request::PassphraseStrength {
            passphrase: passphrase.clone(),
        };
        let Reply::Strength(strength) = session.call(request)? else {
            return Err(unexpected());
        };
        session
            .out
            .remark(&format!("{}: {}", strength.word, strength.meaning));
        let answer = session.asker.line("Take it (Enter), or another (n)?")?;
        if answer.is_none_or(|a| a.trim().is_empty()) {
            return Ok(Protection::Passphrase { passphrase });
        }
    }
}
