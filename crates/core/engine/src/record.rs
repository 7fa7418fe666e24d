//! What is recorded for finding faults: stanzas as capture files, and the program's log. Off unless the person asks for it.
//!
//! Nothing here can hurt what is recorded: a record that cannot be written stops, says why, and everything else goes on.

mod pcapng;
mod request;

use std::collections::BTreeMap;
use std::io;

use sotto_api::view::{Recording, RecordsView, Settings};
use sotto_store::{
    DatabaseKey, ProfileDir, RecordKey, RecordKind, RecordWriter, Records, SharedRecord,
};

use crate::context::ReplyTo;
use crate::io::{LinkId, WorkId};
use crate::words;

pub(crate) use request::{export, handle_work, remove};

/// Files of the log, and the size of each in bytes.
const LOG: (u8, u64) = (2, 2_000_000);

/// The records of the open profile.
#[derive(Default)]
pub(crate) struct Recorder {
    /// Absent while it is locked.
    place: Option<Place>,
    applied: Option<Applied>,
    stanzas: Option<Stanzas>,
    log: Option<SharedRecord>,
    failure: &'static str,
    changed: bool,
    /// Removals and exports under way.
    asked: BTreeMap<WorkId, ReplyTo>,
}

struct Place {
    records: Records,
    stanzas: RecordKey,
    log: RecordKey,
}

/// The settings that hold.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Applied {
    stanzas: Recording,
    most: (u8, u64),
    log: bool,
}

struct Stanzas {
    how: Recording,
    writer: RecordWriter,
    flows: pcapng::Flows,
}

impl Recorder {
    /// The profile is open: from here on [`Recorder::apply`] has a place and keys.
    pub fn opened(&mut self, profile: &ProfileDir, key: &DatabaseKey) {
        self.close();
        self.place = Some(Place {
            records: Records::of(profile),
            stanzas: key.record_key(RecordKind::Stanzas),
            log: key.record_key(RecordKind::Log),
        });
    }

    /// The profile is closed: nothing is written, and no key is left.
    pub fn close(&mut self) {
        self.stop_log();
        self.stanzas = None;
        self.place = None;
        self.applied = None;
    }

    /// Begins and stops what the settings say, at once. `title` is what a log begins with. Whether the log began or
    /// stopped.
    pub fn apply(&mut self, settings: &Settings, title: &str) -> bool {
        let wanted = Applied {
            stanzas: settings.record_stanzas,
            most: (
                settings.record_files,
                u64::from(settings.record_size).saturating_mul(1000),
            ),
            log: settings.record_log,
        };
        let Some(place) = &self.place else {
            return false;
        };
        if self.applied == Some(wanted) {
            return false;
        }
        self.applied = Some(wanted);
        self.failure = "";
        self.changed = true;

        let key = match wanted.stanzas {
            Recording::Off => None,
            Recording::Sealed => Some(Some(place.stanzas.clone())),
            Recording::Plain => Some(None),
        };
        let flows = self.stanzas.take().map(|stanzas| stanzas.flows);
        self.stanzas = key.map(|key| Stanzas {
            how: wanted.stanzas,
            writer: RecordWriter::new(
                place.records.clone(),
                RecordKind::Stanzas,
                key,
                pcapng::opening(),
                wanted.most,
            ),
            flows: flows.unwrap_or_default(),
        });

        if wanted.log == self.log.is_some() {
            return false;
        }
        let writer = wanted.log.then(|| {
            RecordWriter::new(
                place.records.clone(),
                RecordKind::Log,
                Some(place.log.clone()),
                title.as_bytes().to_vec(),
                LOG,
            )
        });
        self.stop_log();
        self.log = writer.map(SharedRecord::new);
        true
    }

    /// Where the log goes; absent: nowhere.
    pub fn log(&self) -> Option<SharedRecord> {
        self.log.clone()
    }

    /// Whether stanzas are recorded.
    pub fn is_on(&self) -> bool {
        self.stanzas.is_some()
    }

    /// One piece of a stream, without credentials.
    pub fn stanza(&mut self, link: LinkId, incoming: bool, unix_ms: i64, piece: &str) {
        let Some(stanzas) = &mut self.stanzas else {
            return;
        };
        let packets = stanzas.flows.packets(link, incoming, unix_ms, piece);
        if let Err(error) = stanzas.writer.append(&packets) {
            self.stanzas = None;
            self.failure = words::record_failed(error.kind());
            self.changed = true;
        }
    }

    /// A connection ended.
    pub fn link_ended(&mut self, link: LinkId) {
        if let Some(stanzas) = &mut self.stanzas {
            stanzas.flows.end(link);
        }
    }

    /// Whether something about it changed since this was last asked.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// What is recorded now, and what lies there; absent while the profile is locked.
    pub fn view(&self) -> Option<RecordsView> {
        let records = &self.place.as_ref()?.records;
        let files = records.list(RecordKind::Stanzas);
        let logs = records.list(RecordKind::Log);
        let stanzas = self.stanzas.as_ref().map_or(Recording::Off, |on| on.how);
        let log_failure = self.log.as_ref().and_then(SharedRecord::failure);
        let log = self.log.is_some() && log_failure.is_none();
        let folder = records.folder().display().to_string();
        Some(RecordsView {
            stanzas,
            stanza_files: u32::try_from(files.len()).unwrap_or(u32::MAX),
            stanza_bytes: files.iter().map(|file| file.bytes).sum(),
            log,
            log_bytes: logs.iter().map(|file| file.bytes).sum(),
            warning: words::records_warning(stanzas, log, &folder),
            folder,
            failure: match log_failure {
                _ if !self.failure.is_empty() => self.failure.to_owned(),
                Some(kind) => words::record_failed(kind).to_owned(),
                None => String::new(),
            },
        })
    }

    fn stop_log(&mut self) {
        if let Some(log) = self.log.take() {
            log.stop();
        }
    }

    /// What is written of this kind ends with the file that it is in.
    fn close_file(&mut self, kind: RecordKind) {
        match kind {
            RecordKind::Stanzas => {
                if let Some(stanzas) = &mut self.stanzas {
                    stanzas.writer.close();
                }
            }
            RecordKind::Log => {
                if let Some(log) = &self.log {
                    log.close_file();
                }
            }
        }
    }
}

/// What removing or exporting came to.
pub(crate) type Done = io::Result<()>;
