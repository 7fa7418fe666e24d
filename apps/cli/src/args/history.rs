//! What is kept, for how long, and what goes.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use sotto_api::view::Expiry;

use super::SearchArgs;

/// `sotto-cli history …`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct HistoryArgs {
    /// What to do with it; alone, the last messages are printed.
    #[command(subcommand)]
    pub command: Option<HistoryCommand>,
    /// With whom.
    #[arg(required = true)]
    pub address: Option<String>,
    /// On which of my accounts.
    #[arg(long, value_name = "ADDRESS")]
    pub account: Option<String>,
    /// At most so many messages.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub limit: u32,
    /// Only those before the message with this id.
    #[arg(long, value_name = "ID")]
    pub before: Option<i64>,
}

/// `sotto-cli history …`
#[derive(Debug, Subcommand)]
pub enum HistoryCommand {
    /// Lists the days on which something was said.
    Days {
        /// Only in the conversation with this address.
        #[arg(long, value_name = "ADDRESS")]
        with: Option<String>,
        /// On which of my accounts.
        #[arg(long, value_name = "ADDRESS", requires = "with")]
        account: Option<String>,
        /// Where a day begins, for example Europe/Berlin; the system's time zone when absent.
        #[arg(long, default_value = "")]
        zone: String,
        /// Only days before this one, for example 2026-11-26.
        #[arg(long, value_name = "DAY")]
        before: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=400))]
        limit: u32,
    },
    /// Finds messages by words, the newest first.
    Search(SearchArgs),
    /// Writes a conversation into a file that everybody can read.
    Export {
        /// With whom.
        address: String,
        /// The file; nothing may be there.
        file: PathBuf,
        /// On which of my accounts.
        #[arg(long, value_name = "ADDRESS")]
        account: Option<String>,
        /// The time zone of its times, for example Europe/Berlin; the system's when absent.
        #[arg(long, default_value = "")]
        zone: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Erases for good.
    Erase(EraseArgs),
    /// Whether what is said is kept.
    Keep {
        /// The choice.
        #[arg(value_enum)]
        keep: KeepArg,
        /// Only in the conversation with this address; for everyone when absent.
        #[arg(long, value_name = "ADDRESS")]
        with: Option<String>,
        /// On which of my accounts.
        #[arg(long, value_name = "ADDRESS", requires = "with")]
        account: Option<String>,
    },
    /// For how long it is kept.
    Expire {
        /// The choice.
        #[arg(value_enum)]
        after: ExpiryArg,
        /// Only in the conversation with this address; for everyone when absent.
        #[arg(long, value_name = "ADDRESS")]
        with: Option<String>,
        /// On which of my accounts.
        #[arg(long, value_name = "ADDRESS", requires = "with")]
        account: Option<String>,
    },
}

/// What to erase: one of them, a day also of one conversation.
#[derive(Debug, Args)]
pub struct EraseArgs {
    /// Everything with this address.
    #[arg(long, value_name = "ADDRESS", required_unless_present_any = ["message", "day", "all_of", "all"],
          conflicts_with_all = ["message", "all_of", "all"])]
    pub with: Option<String>,
    /// On which of my accounts.
    #[arg(long, value_name = "ADDRESS", requires = "with")]
    pub account: Option<String>,
    /// The message with this id.
    #[arg(long, value_name = "ID", conflicts_with_all = ["day", "all_of", "all"])]
    pub message: Option<i64>,
    /// One day, for example 2026-11-26.
    #[arg(long, conflicts_with_all = ["all_of", "all"])]
    pub day: Option<String>,
    /// Where it begins, for example Europe/Berlin; the system's time zone when absent.
    #[arg(long, default_value = "", requires = "day", conflicts_with_all = ["message", "all_of", "all"])]
    pub zone: String,
    /// Everything of this account of mine.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "all")]
    pub all_of: Option<String>,
    /// Everything.
    #[arg(long)]
    pub all: bool,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}

/// Whether to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeepArg {
    /// It is kept, sealed.
    On,
    /// Not one byte of it reaches the disk.
    Off,
    /// As for everyone.
    Inherit,
}

impl KeepArg {
    /// As the interface has it.
    pub fn keep(self) -> Option<bool> {
        match self {
            Self::On => Some(true),
            Self::Off => Some(false),
            Self::Inherit => None,
        }
    }
}

/// For how long to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExpiryArg {
    /// For ever.
    Never,
    /// 365 days.
    Year,
    /// 30 days.
    Month,
    /// 7 days.
    Week,
    /// 24 hours.
    Day,
    /// As for everyone.
    Inherit,
}

impl ExpiryArg {
    /// As the interface has it.
    pub fn expiry(self) -> Option<Expiry> {
        Some(match self {
            Self::Never => Expiry::Never,
            Self::Year => Expiry::Year,
            Self::Month => Expiry::Month,
            Self::Week => Expiry::Week,
            Self::Day => Expiry::Day,
            Self::Inherit => return None,
        })
    }
}

/// `sotto-cli passwords …`
#[derive(Debug, Subcommand)]
pub enum PasswordsCommand {
    /// Lists the accounts whose password is kept.
    List,
    /// Forgets a password: the next sign-in asks for it.
    Remove {
        /// The account's address.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        address: Option<String>,
        /// Forget all.
        #[arg(long)]
        all: bool,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Shows a password; asks for the profile's passphrase.
    Show {
        /// The account's address.
        address: String,
    },
}
