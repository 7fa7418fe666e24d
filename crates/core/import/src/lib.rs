//! What other programs have: accounts, passwords, keys and history of Jitsi and Pidgin, as plain data.
//!
//! The formats are those of Jitsi's `sip-communicator.properties` and `history_ver1.0`, and of the folder `.purple`.
//!
//! 1. [`usual_folder`] says where a program keeps its things.
//! 2. [`scan()`] looks at all of it and changes nothing. [`Found`] says what there is, and what cannot be taken.
//! 3. [`Conversation::open`] reads the messages of one conversation, one after the other, in the order of time.
//! 4. [`Shredder`] overwrites and removes files that were read to their end.
//!
//! Every reader is total: whatever stands in a file, it gives what can be used and counts the rest as a [`Problem`].
//! Memory is bounded: a history is read record by record, and nothing longer than [`LONGEST_RECORD`] is kept. Links
//! are never followed, so that nothing outside the folder is read or removed.
//!
//! Left to the caller: where the messages go, what is a double ([`Message::key`] is the same at every reading), and
//! the threads: every function here may take long.
//!
//! Not supported: rooms, other networks than XMPP (both are counted), Jitsi's optional database of settings.
#![forbid(unsafe_code)]

mod contacts;
mod folder;
mod found;
mod html;
mod jitsi;
mod key;
mod pidgin;
mod places;
mod reader;
mod scan;
mod shred;
mod xml;

#[doc(hidden)]
pub mod fuzz;

pub use folder::SourceFile;
pub use found::{
    Account, Call, Calls, Conversation, Found, Message, Password, Problem, Program, ScanError,
};
pub use jitsi::CallReader;
pub use places::usual_folder;
pub use reader::Reader;
pub use scan::scan;
pub use shred::{Kept, Shredder};

/// The longest record of a history, line of a log, or text of a message that is read, in bytes.
pub const LONGEST_RECORD: usize = 256 * 1024;
