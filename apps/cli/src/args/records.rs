//! `sotto-cli records …`

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use sotto_api::view::{Record, Recording};

/// `sotto-cli records …`
#[derive(Debug, Subcommand)]
pub enum RecordsCommand {
    /// Says what is recorded, and what lies there.
    Status,
    /// Switches recording on or off.
    Set {
        /// Stanzas, with credentials left out.
        #[arg(long, value_enum)]
        stanzas: Option<RecordingArg>,
        /// The program's own log, sealed.
        #[arg(long, value_enum)]
        log: Option<SwitchArg>,
    },
    /// Removes what was recorded, for good.
    Remove {
        /// Which.
        #[arg(value_enum)]
        record: RecordArg,
    },
    /// Writes a record into a file that other programs open: pcapng for stanzas, text for the log.
    Export {
        /// Which.
        #[arg(value_enum)]
        record: RecordArg,
        /// The file; nothing may be there.
        file: PathBuf,
    },
}

/// What can be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RecordArg {
    /// What goes over the wire.
    Stanzas,
    /// The program's own log.
    Log,
}

impl From<RecordArg> for Record {
    fn from(value: RecordArg) -> Self {
        match value {
            RecordArg::Stanzas => Self::Stanzas,
            RecordArg::Log => Self::Log,
        }
    }
}

/// How stanzas are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RecordingArg {
    /// Not at all.
    Off,
    /// Sealed under the profile's key.
    Sealed,
    /// In plain files that everybody who gets at them can read.
    Plain,
}

impl From<RecordingArg> for Recording {
    fn from(value: RecordingArg) -> Self {
        match value {
            RecordingArg::Off => Self::Off,
            RecordingArg::Sealed => Self::Sealed,
            RecordingArg::Plain => Self::Plain,
        }
    }
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SwitchArg {
    /// On.
    On,
    /// Off.
    Off,
}
