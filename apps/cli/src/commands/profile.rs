//! `sotto-cli profile …`

use std::io::Write;
use std::path::Path;

use sotto_api::view::{ProfileState, ProfileView, ProtectionKind};
use sotto_api::{ErrorKind, Protection, Reply, Request, Secret};

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
        ProfileCommand::BackUp { file } => {
            session.open()?;
            let file = full_path(&file)?;
            let current = present(&view(session)?, session)?;
            let passphrase = chosen("New passphrase of the backup", session)?;
            session.call(Request::ProfileBackUp {
                current,
                file,
                passphrase,
            })?;
        }
        ProfileCommand::Restore { file } => {
            let file = full_path(&file)?;
            let passphrase = session.asker.secret("Passphrase of the backup")?;
            session.call(Request::ProfileRestore { file, passphrase })?;
        }
        ProfileCommand::Destroy => return destroy(session),
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
            let current = present(&view, session)?;
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

/// The owner of the profile ends by it: there is no view to show afterwards.
fn destroy<W: Write>(session: &mut Session<'_, W>) -> Done {
    let view = view(session)?;
    if session.asker.interactive() {
        session.out.remark(&format!(
            "This destroys the profile in {}: accounts, keys and history, for good.",
            view.folder
        ));
        let answer = session.asker.line("Write the word destroy to go on:")?;
        if answer.as_deref().map(str::trim) != Some("destroy") {
            return Err(Failure::Usage("Nothing was destroyed.".to_owned()));
        }
    }
    let current = present(&view, session)?;
    session.call(Request::ProfileDestroy { current })?;
    session.out.remark("The profile is destroyed.");
    Ok(())
}

/// The passphrase in force, if there is one.
fn present<W: Write>(view: &ProfileView, session: &mut Session<'_, W>) -> Done<Option<Secret>> {
    (view.protection == Some(ProtectionKind::Passphrase))
        .then(|| session.asker.secret("Passphrase of the profile"))
        .transpose()
}

/// The owner of the profile may stand in another folder.
pub(super) fn full_path(file: &Path) -> Done<String> {
    let path = std::path::absolute(file)
        .map_err(|e| Failure::Usage(format!("This is no name for a file: {e}.")))?;
    path.into_os_string().into_string().map_err(|_| {
        Failure::Usage("The name of the file is not in UTF-8. Choose another.".to_owned())
    })
}

fn protection<W: Write>(args: &ProtectionArgs, session: &mut Session<'_, W>) -> Done<Protection> {
    if args.no_passphrase {
        return Ok(Protection::None);
    }
    let passphrase = chosen("New passphrase", session)?;
    Ok(Protection::Passphrase { passphrase })
}

/// A new passphrase, with a word about how well it resists guessing.
fn chosen<W: Write>(prompt: &str, session: &mut Session<'_, W>) -> Done<Secret> {
    loop {
        let passphrase = session.asker.new_secret(prompt)?;
        if !session.asker.interactive() {
            return Ok(passphrase);
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
            return Ok(passphrase);
        }
    }
}
