//! The sealed profile: its folder, its key, and everything that Sotto remembers, in one SQLCipher file.
//!
//! Left to the caller: threads (the key's jobs are slow and `Send`; the store belongs to one thread),
//! the clock (every time is an argument), and what anything means (rows are plain data).
//!
//! 1. [`ProfileDir::open`] checks or makes the folder; [`ProfileDir::lock`] makes this process its owner.
//! 2. [`KeyFile::load`] says whether there is a key and how it is kept. [`KeyFile::create_job`],
//!    [`KeyFile::unlock_job`] and [`KeyFile::protect_job`] are run on a thread that may wait.
//! 3. [`Store::open`] takes the [`DatabaseKey`] and brings the schema up to date.
//! 4. Read and write with the functions of [`Store`]; several writes that belong together go between
//!    [`Store::begin`] and [`Store::commit`], those that must survive a power cut after
//!    [`Store::begin_durable`].
//! 5. Where the file is damaged, [`Store::salvage`] saves what still reads into a new one.
//!
//! ```
//! use sotto_store::{Result, Store, row::NewAccount};
//!
//! # fn main() -> Result<()> {
//! let store = Store::in_memory()?;
//! let account = store.account_add(&NewAccount {
//!     network: "xmpp",
//!     address: "sara@example.org",
//!     enabled: true,
//!     settings: &Default::default(),
//!     agent_id: "d4565fa7-4d72-4749-b3d3-740edbf87770",
//! })?;
//! let conversation = store.conversation_open(account, "leila@example.org")?;
//! store.draft_set(conversation, "Tomorrow at")?;
//! assert_eq!(store.conversation(conversation)?.unwrap().draft, "Tomorrow at");
//! # Ok(())
//! # }
//! ```
//!
//! A message that is not kept ([`row::NewMessage::kept`]) has a row like every other; its text stays in the
//! memory of this process and is never given to SQLite. [`Store::open`] removes such rows of an earlier run.
//! One exception: while it waits for a private conversation ([`Store::private_wait`]), its text is written
//! down, sealed, and becomes the draft of its conversation if the program ends before it leaves.
//!
//! A profile is moved in one sealed file ([`BackUpJob`], [`RestoreJob`]) and ended with [`ProfileDir::destroy`].
//!
//! Files of a profile, all of mode 0600 in a folder of mode 0700: `profile.key` and its copy (how the
//! key is kept), `profile.secret` (only without passphrase and keyring), `store.db` with `store.db-wal`
//! (sealed page by page, AES-256-CBC with HMAC-SHA-512), `lock`, and `socket`, which is the runtime's.
//!
//! Not supported: two owners at once, a store on a medium without locks, reading a store of another program.

mod error;
mod profile;

mod key;

mod backup;
mod born;
mod chunks;
mod destroy;
mod frozen;
mod outside;
mod records;
mod seal;

mod code;
pub mod row;
mod schema;
mod store;

mod account;
mod attempt;
mod call;
mod conversation;
mod days;
mod erase;
mod expire;
mod import;
mod keep;
mod message;
mod outbox;
mod people;
mod private;
mod remains;
mod salvage;
mod search;
mod server;
mod unkept;
mod waiting;
mod wipe;
mod words;

pub use backup::{BackUpJob, BackupError, RestoreJob};
pub use error::{Result, StoreError};
pub use frozen::Snapshot;
#[doc(hidden)]
pub use key::key_bytes_for_tests;
pub use key::{
    CreateJob, DatabaseKey, KeyError, KeyFile, ProtectJob, UnlockJob, UnlockThrottle,
    harden_process,
};
pub use profile::{ProfileDir, ProfileLock};
pub use records::{RecordFile, RecordKey, RecordKind, RecordWriter, Records, SharedRecord};
pub use remains::REMAINS_DAYS;
pub use salvage::SalvageReport;
pub use schema::SCHEMA_VERSION;
pub use server::CAPS_LIMIT;
pub use store::Store;
pub use unkept::UnkeptText;
