//! `sotto-cli import …`

use std::io::Write;
use std::path::absolute;

use sotto_api::view::{ImportParts, ImportView};
use sotto_api::{ErrorKind, ImportId, Reply, Request, Secret};

use crate::args::MoveInArgs;
use crate::failure::{Done, Failure};
use crate::output::text::import as text;
use crate::session::{Session, unexpected};

/// How often a person may mistype the master password.
const MASTER_TRIES: usize = 3;

pub(super) fn run<W: Write>(args: MoveInArgs, session: &mut Session<'_, W>) -> Done {
    let parts = args.parts();
    let found = look(&args, parts, session)?;
    let done = take(&args, parts, found.clone(), session);
    // Nothing depends on it: the next look puts it away as well.
    let _ = session.call(Request::ImportClose { import: found.id });
    done
}

/// Looks, and asks for Jitsi's master password where that is wanted.
fn look<W: Write>(
    args: &MoveInArgs,
    parts: ImportParts,
    session: &mut Session<'_, W>,
) -> Done<ImportView> {
    let folder = args
        .folder
        .as_deref()
        .map(absolute)
        .transpose()
        .map_err(|e| Failure::Io(format!("The folder cannot be found: {e}.")))?
        .map(|folder| folder.to_string_lossy().into_owned());
    let scan = |master: Option<Secret>| Request::ImportScan {
        program: args.program.program(),
        folder: folder.clone(),
        master,
    };
    let found = view(session.call(scan(None))?)?;
    if !found.needs_master || !parts.passwords {
        return Ok(found);
    }
    let mut tries = 0;
    loop {
        let master = session
            .asker
            .secret("Master password of the other program (empty: go on without its passwords)")?;
        if master.is_empty() {
            return Ok(found);
        }
        tries += 1;
        match session.call(scan(Some(master))) {
            Ok(reply) => return view(reply),
            Err(Failure::Refused(error))
                if error.kind == ErrorKind::WrongPassphrase
                    && session.asker.interactive()
                    && tries < MASTER_TRIES =>
            {
                session.out.remark(&error.message);
            }
            Err(failure) => return Err(failure),
        }
    }
}

fn take<W: Write>(
    args: &MoveInArgs,
    parts: ImportParts,
    found: ImportView,
    session: &mut Session<'_, W>,
) -> Done {
    let import = found.id;
    if !session.out.is_json() {
        session.out.result(&found, || text::found(&found))?;
    }
    if !args.yes && !agreed(session, "Take it over (y/N)?")? {
        session
            .out
            .remark("Nothing was changed. To do it without being asked: --yes");
        return json(&found, session);
    }
    let mut last = view(session.call(Request::ImportRun { import, parts })?)?;
    if !session.out.is_json() {
        session.out.result(&last, || text::done(&last))?;
    }
    if args.shred {
        last = shred(args, import, last, session)?;
    }
    json(&last, session)
}

fn shred<W: Write>(
    args: &MoveInArgs,
    import: ImportId,
    taken: ImportView,
    session: &mut Session<'_, W>,
) -> Done<ImportView> {
    session.out.remark(&taken.shred_text);
    if !args.yes && !agreed(session, "Shred them (y/N)?")? {
        session.out.remark("Nothing was shredded.");
        return Ok(taken);
    }
    let last = view(session.call(Request::ImportShred { import })?)?;
    if !session.out.is_json() {
        session
            .out
            .result(&last, || crate::output::text::plain(&last.text))?;
    }
    Ok(last)
}

/// The one value that programs get.
fn json<W: Write>(view: &ImportView, session: &mut Session<'_, W>) -> Done {
    if session.out.is_json() {
        session.out.result(view, String::new)?;
    }
    Ok(())
}

fn agreed<W: Write>(session: &mut Session<'_, W>, question: &str) -> Done<bool> {
    let answer = session.asker.line(question)?;
    Ok(answer.is_some_and(|answer| answer.trim().eq_ignore_ascii_case("y")))
}

fn view(reply: Reply) -> Done<ImportView> {
    match reply {
        Reply::Import(view) => Ok(view),
        _ => Err(unexpected()),
    }
}
