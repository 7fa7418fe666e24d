//! Removing what was recorded, and writing it out.

use sotto_api::view::Record;
use sotto_api::{ApiError, Reply};
use sotto_store::{RecordFile, RecordKey, RecordKind, Records};

use super::{Done, Recorder};
use crate::context::{Answer, Effects, ReplyTo};
use crate::io::{WorkId, WorkJob};
use crate::work::{self, WorkResult};
use crate::{profile, words};

/// Removes all files of a record. What comes after goes into a new one.
pub(crate) fn remove(effects: &mut Effects, to: ReplyTo, record: Record) -> Answer {
    let (files, _) = files(&mut effects.records, record)?;
    begin(effects, to, move || Records::remove(files))
}

/// Writes a record into a file outside the profile.
pub(crate) fn export(effects: &mut Effects, to: ReplyTo, record: Record, file: &str) -> Answer {
    let path = profile::moving::absolute(file)?;
    let (files, key) = files(&mut effects.records, record)?;
    if files.is_empty() {
        return Err(words::nothing_recorded());
    }
    begin(effects, to, move || Records::export(&files, &key, &path))
}

/// A removal or an export ended; `false` when the work was something else.
pub(crate) fn handle_work(effects: &mut Effects, work: WorkId, done: &work::Done) -> bool {
    let Some(to) = effects.records.asked.remove(&work) else {
        return false;
    };
    let answer = match done {
        work::Done::Record(Ok(())) => Ok(Reply::Done),
        work::Done::Record(Err(error)) => Err(words::record_not_done(error)),
        _ => Err(words::internal()),
    };
    effects.records.changed = true;
    effects.answer(to, answer);
    true
}

/// The files as they are now, whole.
fn files(
    recorder: &mut Recorder,
    record: Record,
) -> Result<(Vec<RecordFile>, RecordKey), ApiError> {
    let kind = match record {
        Record::Stanzas => RecordKind::Stanzas,
        Record::Log => RecordKind::Log,
    };
    recorder.close_file(kind);
    let place = recorder.place.as_ref().ok_or_else(words::locked)?;
    let key = match kind {
        RecordKind::Stanzas => place.stanzas.clone(),
        RecordKind::Log => place.log.clone(),
    };
    Ok((place.records.list(kind), key))
}

fn begin(
    effects: &mut Effects,
    to: ReplyTo,
    job: impl FnOnce() -> Done + Send + 'static,
) -> Answer {
    let work = effects.work(WorkJob::new(move || WorkResult(work::Done::Record(job()))));
    effects.records.asked.insert(work, to);
    Ok(None)
}
