//! The command line: what may be said, and nothing of what it does.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use sotto_api::view::Availability;

mod history;
mod import;
mod private;
mod records;
mod settings;

pub use history::{EraseArgs, HistoryArgs, HistoryCommand, PasswordsCommand};
pub use import::MoveInArgs;
pub use private::{ImportArgs, KeysCommand, PolicyArg, PolicyCommand, PrivateCommand, VerifyArgs};
pub use records::{RecordsCommand, SwitchArg};
pub use settings::SettingsArgs;

const AFTER_HELP: &str = "\
Exit status: 0 done · 1 refused · 2 wrong arguments · 3 the profile is not open · 4 not signed in ·
5 a certificate waits for an answer · 6 the time limit was reached.
Passwords, passphrases, answers and shared secrets are asked for, or read with --password-stdin; they are
never arguments.";

/// Talks over XMPP from the terminal, and lets programs do so.
#[derive(Debug, Parser)]
#[command(name = "sotto-cli", version, about, after_help = AFTER_HELP)]
pub struct Cli {
    /// Use the profile in this folder in place of the usual one.
    #[arg(long, global = true, value_name = "DIR")]
    pub profile: Option<PathBuf>,

    /// Print JSON, one value a line, in place of text.
    #[arg(long, global = true)]
    pub json: bool,

    /// Read secrets from standard input, one a line, in the order in which they would be asked for.
    #[arg(long, global = true)]
    pub password_stdin: bool,

    /// Accept the certificate with this SHA-256, for this account and for good. May be repeated.
    #[arg(long, global = true, value_name = "SHA256")]
    pub accept_certificate: Vec<String>,

    /// Wait at most so many seconds for a server.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30,
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The sealed folder that holds everything.
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Accounts: sign in, create, list, remove, passwords.
    #[command(subcommand)]
    Account(AccountCommand),
    /// The contact list, requests and blocking; alone, lists the contacts.
    Contacts {
        /// What to do with them.
        #[command(subcommand)]
        command: Option<ContactsCommand>,
    },
    /// Writes a message and waits until the server has it.
    Send(SendArgs),
    /// Prints the last messages of a conversation; what is kept, for how long, and what goes.
    History(HistoryArgs),
    /// Finds messages by words, the newest first.
    Search(SearchArgs),
    /// Shows the accounts, or sets what others see of me.
    Status(StatusArgs),
    /// Stays signed in and prints messages as they come.
    Watch(WatchArgs),
    /// Private conversations: begin, end, look.
    #[command(subcommand)]
    Private(PrivateCommand),
    /// Makes sure that a key is theirs: by its code, by a question, or by a secret that both know.
    Verify(VerifyArgs),
    /// Own keys and keys of others.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// What may leave without end-to-end encryption.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Records for finding faults: what goes over the wire, and the program's log. Off unless switched on.
    #[command(subcommand)]
    Records(RecordsCommand),
    /// Passwords that are kept.
    #[command(subcommand)]
    Passwords(PasswordsCommand),
    /// Shows or changes the program's settings.
    Settings {
        /// Which one; all when absent.
        name: Option<String>,
        /// Its new value.
        value: Option<String>,
    },
    /// Takes over what Jitsi or Pidgin has: shows what there is, then asks.
    Import(MoveInArgs),
    /// Speaks the whole interface as JSON lines on standard input and output (docs/rpc.md).
    Rpc {
        /// Let requests write files in this folder, too: backups, records, originals that are shredded. May be repeated.
        #[arg(long, value_name = "DIR")]
        write: Vec<PathBuf>,
    },
}

impl Command {
    /// The folders that it may write to besides the profile; absent where a file is named only later, or by word.
    pub fn writes(&self) -> Option<Vec<PathBuf>> {
        match self {
            Self::Rpc { write } => Some(write.clone()),
            Self::Contacts { .. }
            | Self::Send(_)
            | Self::Search(_)
            | Self::Status(_)
            | Self::Watch(_)
            | Self::Private(_)
            | Self::Verify(_)
            | Self::Policy(_)
            | Self::Passwords(_)
            | Self::Settings { .. } => Some(Vec::new()),
            Self::Profile(_)
            | Self::Account(_)
            | Self::History(_)
            | Self::Keys(_)
            | Self::Records(_)
            | Self::Import(_) => None,
        }
    }
}

/// `sotto-cli profile …`
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// Says whether there is a profile and how it is sealed.
    Status,
    /// Makes the profile and seals it under a passphrase.
    Create(ProtectionArgs),
    /// Locks the profile of a running Sotto: it goes on, and shows nothing until the passphrase is given again.
    Lock,
    /// Opens the profile of a running Sotto.
    Unlock,
    /// Saves what still reads of a damaged profile; the old file is kept beside the new one.
    Salvage,
    /// Writes the whole profile into one sealed file, with a passphrase of its own.
    BackUp {
        /// The file; nothing may be there.
        file: PathBuf,
    },
    /// Makes the profile of such a file; its passphrase becomes the profile's.
    Restore {
        /// The file.
        file: PathBuf,
    },
    /// Destroys the profile for good: its key first, then its files.
    Destroy,
    /// Changes the passphrase, or goes without one.
    Protect(ProtectionArgs),
}

/// How a profile is to be sealed.
#[derive(Debug, Args)]
pub struct ProtectionArgs {
    /// Knowingly go without: the key lies in the system's keyring, or in a file beside the store.
    #[arg(long)]
    pub no_passphrase: bool,
}

/// `sotto-cli account …`
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Adds an existing account and signs in.
    Add {
        /// Its address, for example sara@riverside.example.
        address: String,
        /// The network it is on.
        #[arg(long, default_value = "xmpp")]
        network: String,
        /// Do not keep the password.
        #[arg(long)]
        forget: bool,
        /// The advanced page.
        #[command(flatten)]
        settings: SettingsArgs,
    },
    /// Creates a new account on a server.
    Create {
        /// The server, for example riverside.example.
        server: String,
        /// The name of the account; asked for when absent.
        #[arg(long, value_name = "NAME")]
        username: Option<String>,
        /// An answer to another field of the server's form. May be repeated.
        #[arg(long, value_name = "FIELD=VALUE", value_parser = parse_answer)]
        answer: Vec<(String, String)>,
        /// Write the picture or sound of a CAPTCHA to this file.
        #[arg(long, value_name = "FILE")]
        captcha_file: Option<PathBuf>,
        /// Do not keep the password.
        #[arg(long)]
        forget: bool,
        /// The advanced page.
        #[command(flatten)]
        settings: SettingsArgs,
    },
    /// Lists the accounts and where they stand.
    List,
    /// Removes an account from this profile; on the server it stays.
    Remove {
        /// Its address.
        address: String,
        /// Erase its conversations as well.
        #[arg(long)]
        erase_history: bool,
    },
    /// Changes the password on the server.
    Password {
        /// The account's address.
        address: String,
        /// Change nothing on the server: only give the password to sign in with.
        #[arg(long)]
        sign_in: bool,
        /// Do not keep the password given with --sign-in.
        #[arg(long, requires = "sign_in")]
        forget: bool,
    },
    /// Takes an account online, and keeps it so.
    Enable {
        /// Its address.
        address: String,
    },
    /// Takes an account offline, and keeps it so.
    Disable {
        /// Its address.
        address: String,
    },
}

/// `sotto-cli contacts …`
#[derive(Debug, Subcommand)]
pub enum ContactsCommand {
    /// Lists contacts by group.
    List {
        /// Only those with these words in name or address.
        #[arg(default_value = "")]
        filter: String,
        /// Only those who are online.
        #[arg(long)]
        online: bool,
    },
    /// Adds a contact and asks to see their presence.
    Add {
        /// Their address.
        address: String,
        /// How to call them.
        #[arg(long, default_value = "")]
        name: String,
        /// A group they belong to. May be repeated.
        #[arg(long)]
        group: Vec<String>,
        /// On which of my accounts.
        #[arg(long, value_name = "ADDRESS")]
        account: Option<String>,
    },
    /// Renames a contact.
    Rename {
        /// Their address.
        address: String,
        /// The new name; empty for the address.
        name: String,
    },
    /// Puts a contact into groups, and out of all others.
    Move {
        /// Their address.
        address: String,
        /// The groups; none for no group.
        groups: Vec<String>,
    },
    /// Removes a contact; the history stays.
    Remove {
        /// Their address.
        address: String,
    },
    /// Lists requests to see my presence.
    Requests,
    /// Lets somebody see my presence.
    Accept(PersonArgs),
    /// Does not let somebody see my presence.
    Refuse(PersonArgs),
    /// Blocks an address.
    Block(PersonArgs),
    /// Unblocks an address.
    Unblock(PersonArgs),
    /// Lists blocked addresses.
    Blocked,
}

/// An address of somebody, on one of my accounts.
#[derive(Debug, Args)]
pub struct PersonArgs {
    /// Their address.
    pub address: String,
    /// On which of my accounts.
    #[arg(long, value_name = "ADDRESS")]
    pub account: Option<String>,
}

/// `sotto-cli send …`
#[derive(Debug, Args)]
pub struct SendArgs {
    /// To whom.
    pub address: String,
    /// The text; read from standard input when absent.
    pub text: Option<String>,
    /// By which of my accounts.
    #[arg(long, value_name = "ADDRESS")]
    pub account: Option<String>,
    /// How far it must get before the command ends.
    #[arg(long, value_enum, default_value_t = WaitFor::Sent)]
    pub wait: WaitFor,
}

/// How far a message must get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WaitFor {
    /// It is kept, and goes out when the account can.
    None,
    /// The server has it.
    Sent,
    /// The other program has it.
    Delivered,
}

/// `sotto-cli search …`
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// Words; all must occur.
    #[arg(required = true)]
    pub words: Vec<String>,
    /// Only in the conversation with this address.
    #[arg(long, value_name = "ADDRESS")]
    pub with: Option<String>,
    /// On which of my accounts.
    #[arg(long, value_name = "ADDRESS", requires = "with")]
    pub account: Option<String>,
    /// At most so many finds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
}

/// `sotto-cli status …`
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// What others see; the accounts are shown when absent.
    #[arg(value_enum)]
    pub availability: Option<AvailabilityArg>,
    /// A line of my own.
    #[arg(default_value = "")]
    pub text: String,
    /// For one of my accounts only.
    #[arg(long, value_name = "ADDRESS")]
    pub account: Option<String>,
}

/// What others may see of me.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AvailabilityArg {
    /// Free to talk.
    Chat,
    /// Available.
    Available,
    /// Away for a moment.
    Away,
    /// Away for long.
    ExtendedAway,
    /// Busy.
    Busy,
    /// Offline.
    Offline,
}

impl From<AvailabilityArg> for Availability {
    fn from(value: AvailabilityArg) -> Self {
        match value {
            AvailabilityArg::Chat => Self::Chat,
            AvailabilityArg::Available => Self::Available,
            AvailabilityArg::Away => Self::Away,
            AvailabilityArg::ExtendedAway => Self::ExtendedAway,
            AvailabilityArg::Busy => Self::Busy,
            AvailabilityArg::Offline => Self::Offline,
        }
    }
}

/// `sotto-cli watch …`
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// End after so many messages from others.
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
}

fn parse_answer(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as FIELD=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests;
