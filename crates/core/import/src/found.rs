use std::fmt;
use std::path::PathBuf;

use sotto_otr::import::{ImportedKey, ImportedTag, ImportedTrust};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::folder::SourceFile;
use crate::reader::HistoryFile;

/// A program that people come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Program {
    /// Jitsi Desktop, any version, and SIP Communicator before it.
    Jitsi,
    /// Pidgin, and other programs on libpurple; Gaim from 2.0.
    Pidgin,
}

/// Everything that a program has.
#[derive(Debug)]
pub struct Found {
    /// Whose.
    pub program: Program,
    /// The folder, without links in it.
    pub folder: PathBuf,
    /// Accounts on XMPP, each address once.
    pub accounts: Vec<Account>,
    /// There are passwords under a master password, and none was given.
    pub needs_master: bool,
    /// Conversations between two, with at least one message.
    pub conversations: Vec<Conversation>,
    /// Messages in them that can be read.
    pub messages: u64,
    /// The list of calls.
    pub calls: Calls,
    /// Own OTR keys.
    pub keys: Vec<ImportedKey>,
    /// Keys of others, and what vouches for them.
    pub trust: Vec<ImportedTrust>,
    /// OTR instance tags.
    pub tags: Vec<ImportedTag>,
    /// The file of settings and passwords, if everything in it was understood: nothing in it is of use to another
    /// account than those in `accounts`.
    pub settings_file: Option<SourceFile>,
    /// Files that hold nothing but what stands in `keys`, `trust` and `tags`.
    pub key_files: Vec<SourceFile>,
    /// Size of the clear-text originals in bytes.
    pub bytes: u64,
    /// What cannot be taken, each kind once.
    pub problems: Vec<Problem>,
}

/// An account on XMPP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its address as that program had it; without a resource.
    pub address: String,
    /// Its password, where it can be read.
    pub password: Option<Password>,
    /// Where that program was told to connect, against what DNS says: host and port.
    pub server: Option<(String, u16)>,
}

/// A password; wiped when it goes, and never in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    pub(crate) fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// The password itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// One conversation between two; [`Conversation::open`] reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversation {
    /// The own address, without a resource.
    pub account: String,
    /// The other side's address, as that program named it.
    pub peer: String,
    /// Messages that can be read.
    pub messages: u64,
    pub(crate) program: Program,
    /// In the order of time.
    pub(crate) files: Vec<HistoryFile>,
    /// Names under which the own side, and the other one, write.
    pub(crate) own_names: Vec<String>,
    pub(crate) peer_names: Vec<String>,
}

/// One message of a history.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Whether the own side wrote it.
    pub outgoing: bool,
    /// What it says, as plain text; an action begins with `/me `. Never empty, at most [`crate::LONGEST_RECORD`] bytes.
    pub text: String,
    /// When it was written: milliseconds since 1970, UTC.
    pub at: i64,
    /// The same for the same message at every reading, and for no other one.
    pub key: [u8; 16],
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("outgoing", &self.outgoing)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// The list of calls; [`Calls::open`] reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Calls that can be read.
    pub count: u64,
    pub(crate) files: Vec<SourceFile>,
}

/// One call of Jitsi's.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// The own account as Jitsi names it, for example `Jabber:sara@example.org@example.org`; empty if not written down.
    pub account: String,
    /// The own address that this means; absent for other networks than XMPP.
    pub address: Option<String>,
    /// Whether the own side called.
    pub outgoing: bool,
    /// When it began: milliseconds since 1970, UTC.
    pub started: i64,
    /// When it ended; not before `started`.
    pub ended: i64,
    /// Whether somebody answered.
    pub answered: bool,
    /// Why it ended (a number that Jitsi took from SIP, RFC 3261 §21), if it was written down.
    pub reason: Option<u16>,
    /// The others: address, and name where there is one. At least one, at most 100.
    pub participants: Vec<(String, String)>,
    /// The same for the same call at every reading, and for no other one.
    pub key: [u8; 16],
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("outgoing", &self.outgoing)
            .field("started", &self.started)
            .finish_non_exhaustive()
    }
}

/// What cannot be taken. Names in it were written by others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// An account of another network.
    OtherNetwork {
        /// Its name there.
        account: String,
        /// The network as that program names it: `sip`, `irc`.
        network: String,
    },
    /// A password that does not decrypt, though the master password is right.
    PasswordUnreadable {
        /// Whose.
        account: String,
    },
    /// An own key that OTR cannot use, or that belongs to none of the accounts.
    KeyUnusable {
        /// Whose, or the file in which it stands.
        account: String,
    },
    /// Verified codes of whom it cannot be told.
    CodesUnclear {
        /// How many.
        count: u64,
    },
    /// A file that cannot be read.
    FileUnreadable {
        /// Its name within the folder.
        name: String,
    },
    /// A file of settings or keys that is larger than any such file.
    FileTooLarge {
        /// Its name within the folder.
        name: String,
    },
    /// Rooms, which are not taken.
    Rooms {
        /// How many.
        count: u64,
    },
    /// Conversations of other networks than XMPP.
    OtherConversations {
        /// How many.
        count: u64,
    },
    /// Conversations of which the own account or the other side cannot be told.
    ConversationsUnclear {
        /// How many.
        count: u64,
    },
    /// Records that are damaged, too long, or without a time.
    RecordsUnreadable {
        /// How many.
        count: u64,
    },
    /// Links, which are not followed.
    Links {
        /// How many.
        count: u64,
    },
    /// There is more than is taken at once.
    TooMany,
}

/// Why there is nothing to import. Nothing was changed.
#[derive(Debug, Error)]
pub enum ScanError {
    /// The folder is not there.
    #[error("there is no such folder")]
    NoFolder,
    /// It is not the folder of this program.
    #[error("this is not the folder of that program")]
    NotThisProgram,
    /// The master password is wrong.
    #[error("the master password is wrong")]
    WrongMaster,
    /// It cannot be read.
    #[error("the folder cannot be read")]
    Io(#[from] std::io::Error),
}
