//! The part of the command line about private conversations: keys, verification, policies.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use sotto_api::view::Policy;

use super::PersonArgs;

/// `sotto-cli private …`
#[derive(Debug, Subcommand)]
pub enum PrivateCommand {
    /// Asks for a private conversation and waits until it stands; makes new keys when one stands already.
    Start(PersonArgs),
    /// Ends the private conversation.
    End(PersonArgs),
    /// Shows how a conversation stands: state, devices, both codes, what may leave.
    Status(PersonArgs),
    /// Chooses the device of the other side that is written to.
    Device {
        /// Whose.
        #[command(flatten)]
        person: PersonArgs,
        /// Which, as `private status` names it.
        device: String,
    },
}

/// `sotto-cli verify …`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Who is verified.
    #[command(flatten)]
    pub person: PersonArgs,
    /// How.
    #[command(flatten)]
    pub way: VerifyWay,
}

/// How somebody is verified.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct VerifyWay {
    /// The code of their key, as they read it to you over another way: verified when it is the one in use.
    #[arg(long, value_name = "CODE")]
    pub code: Option<String>,
    /// Ask this; the right answer is asked for, or read with --password-stdin.
    #[arg(long, value_name = "QUESTION")]
    pub question: Option<String>,
    /// By a secret that both know; it is asked for, or read with --password-stdin.
    #[arg(long)]
    pub secret: bool,
    /// Answer their question, or give the secret that they ask for.
    #[arg(long)]
    pub answer: bool,
    /// Stop a verification under way.
    #[arg(long)]
    pub stop: bool,
}

/// `sotto-cli keys …`
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Lists the own keys.
    Own,
    /// Lists the keys of others.
    List {
        /// Met by this one of my accounts.
        #[arg(long, value_name = "ADDRESS")]
        account: Option<String>,
    },
    /// Marks a key verified, after its code was compared.
    Trust(KeyArgs),
    /// Marks a key as not theirs: nothing more goes to it.
    Distrust(KeyArgs),
    /// Forgets a key that no private conversation uses.
    Forget(KeyArgs),
    /// Makes a new own key; everybody has to verify anew.
    Renew {
        /// The account's address.
        address: String,
    },
    /// Takes over keys that Pidgin and other programs with libotr keep.
    Import(ImportArgs),
}

/// A key of somebody else.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// Its number in `keys list`, or its whole code.
    pub key: String,
}

/// The files of libotr's programs.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct ImportArgs {
    /// The file of own keys, usually ~/.purple/otr.private_key.
    #[arg(long, value_name = "FILE")]
    pub private_key: Option<PathBuf>,
    /// The file of keys of others, usually ~/.purple/otr.fingerprints.
    #[arg(long, value_name = "FILE")]
    pub fingerprints: Option<PathBuf>,
    /// The file of instance tags, usually ~/.purple/otr.instance_tags.
    #[arg(long, value_name = "FILE")]
    pub instance_tags: Option<PathBuf>,
}

/// `sotto-cli policy …`
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Shows what may leave, and for whom it is set otherwise.
    Show,
    /// Sets what may leave: for everyone, one account, or one person.
    Set {
        /// What.
        #[arg(value_enum)]
        policy: PolicyArg,
        /// For one of my accounts; with --contact: on which of them.
        #[arg(long, value_name = "ADDRESS")]
        account: Option<String>,
        /// For one person.
        #[arg(long, value_name = "ADDRESS")]
        contact: Option<String>,
        /// Accounts and people with a setting of their own follow everyone's again.
        #[arg(long, conflicts_with_all = ["account", "contact"])]
        follow: bool,
    },
}

/// What may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolicyArg {
    /// End-to-end encrypted, or not at all.
    Required,
    /// Encrypted where the other side's program can.
    WhenPossible,
    /// No private conversation unless it is begun by hand.
    Off,
    /// No setting of its own: as for everyone.
    Inherit,
}

impl PolicyArg {
    /// The setting; `None` for none of its own.
    pub fn policy(self) -> Option<Policy> {
        match self {
            Self::Required => Some(Policy::Required),
            Self::WhenPossible => Some(Policy::Preferred),
            Self::Off => Some(Policy::Off),
            Self::Inherit => None,
        }
    }
}
