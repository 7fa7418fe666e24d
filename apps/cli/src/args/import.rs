//! The part of the command line about moving in from another program.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use sotto_api::view::{ImportParts, ImportProgram};

/// `sotto-cli import …`
#[derive(Debug, Args)]
pub struct MoveInArgs {
    /// The program.
    #[arg(value_enum)]
    pub program: ProgramArg,
    /// Its folder, in place of where it usually is.
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Take over accounts, switched off. Without this and the next three: everything.
    #[arg(long)]
    pub accounts: bool,
    /// Take over passwords of accounts that are here.
    #[arg(long)]
    pub passwords: bool,
    /// Take over messages and calls of accounts that are here.
    #[arg(long)]
    pub history: bool,
    /// Take over private keys and verified codes of accounts that are here.
    #[arg(long)]
    pub keys: bool,
    /// Afterwards overwrite and remove the files that were taken over as a whole.
    #[arg(long)]
    pub shred: bool,
    /// Do it without asking.
    #[arg(long)]
    pub yes: bool,
}

impl MoveInArgs {
    /// What to take over: what was named, or everything.
    pub fn parts(&self) -> ImportParts {
        let named = ImportParts {
            accounts: self.accounts,
            passwords: self.passwords,
            history: self.history,
            keys: self.keys,
        };
        if named.accounts || named.passwords || named.history || named.keys {
            return named;
        }
        ImportParts {
            accounts: true,
            passwords: true,
            history: true,
            keys: true,
        }
    }
}

/// A program that people come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProgramArg {
    /// Jitsi Desktop.
    Jitsi,
    /// Pidgin.
    Pidgin,
}

impl ProgramArg {
    /// As the interface names it.
    pub fn program(self) -> ImportProgram {
        match self {
            Self::Jitsi => ImportProgram::Jitsi,
            Self::Pidgin => ImportProgram::Pidgin,
        }
    }
}
