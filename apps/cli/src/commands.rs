//! What each command does, in requests and events.

use std::io::Write;

use crate::args::{Command, ContactsCommand};
use crate::failure::{Done, Failure};
use crate::session::Session;

mod account;
mod contacts;
mod history;
mod import;
mod keys;
mod messages;
mod passwords;
mod policy;
mod private;
mod profile;
mod records;
mod register;
mod settings;
mod status;
mod verify;
mod watch;

/// Carries out one command. `Command::Rpc` is not among them: it speaks to the engine itself.
///
/// # Errors
/// As the command fails.
pub fn run<W: Write>(command: Command, session: &mut Session<'_, W>) -> Done {
    match command {
        Command::Profile(command) => profile::run(command, session),
        Command::Account(command) => {
            session.open()?;
            account::run(command, session)
        }
        Command::Contacts { command } => {
            session.open()?;
            let everybody = ContactsCommand::List {
                filter: String::new(),
                online: false,
            };
            contacts::run(command.unwrap_or(everybody), session)
        }
        Command::Send(args) => {
            session.open()?;
            messages::send(args, session)
        }
        Command::History(args) => {
            session.open()?;
            history::run(args, session)
        }
        Command::Search(args) => {
            session.open()?;
            messages::search(args, session)
        }
        Command::Status(args) => {
            session.open()?;
            status::run(args, session)
        }
        Command::Watch(args) => {
            session.open()?;
            watch::run(args, session)
        }
        Command::Private(command) => {
            session.open()?;
            private::run(command, session)
        }
        Command::Verify(args) => {
            session.open()?;
            verify::run(args, session)
        }
        Command::Keys(command) => {
            session.open()?;
            keys::run(command, session)
        }
        Command::Policy(command) => {
            session.open()?;
            policy::run(command, session)
        }
        Command::Records(command) => {
            session.open()?;
            records::run(command, session)
        }
        Command::Passwords(command) => {
            session.open()?;
            passwords::run(command, session)
        }
        Command::Settings { name, value } => {
            session.open()?;
            settings::run(name.as_deref(), value.as_deref(), session)
        }
        Command::Import(args) => {
            session.open()?;
            import::run(args, session)
        }
        Command::Rpc { .. } => Ok(()),
    }
}

/// Whether a person agrees: by writing the word, or beforehand with `--yes`.
fn confirmed<W: Write>(
    session: &mut Session<'_, W>,
    yes: bool,
    question: &str,
    word: &str,
) -> Done<bool> {
    if yes {
        return Ok(true);
    }
    if !session.asker.interactive() {
        return Err(Failure::Usage(format!(
            "{question} Say --yes if that is wanted."
        )));
    }
    session.out.remark(question);
    let answer = session
        .asker
        .line(&format!("Write the word {word} to go on:"))?;
    Ok(answer.as_deref().map(str::trim) == Some(word))
}
