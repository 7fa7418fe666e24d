//! `sotto-cli records …`

use std::io::Write;

use sotto_api::{Reply, Request};

use super::profile::full_path;
use crate::args::{RecordsCommand, SwitchArg};
use crate::failure::Done;
use crate::output::text;
use crate::session::{Session, unexpected};

pub(super) fn run<W: Write>(command: RecordsCommand, session: &mut Session<'_, W>) -> Done {
    match command {
        RecordsCommand::Status => {}
        RecordsCommand::Set { stanzas, log } => {
            let Reply::Settings(mut settings) = session.call(Request::SettingsGet {})? else {
                return Err(unexpected());
            };
            if let Some(stanzas) = stanzas {
                settings.record_stanzas = stanzas.into();
            }
            if let Some(log) = log {
                settings.record_log = log == SwitchArg::On;
            }
            session.call(Request::SettingsSet { settings })?;
        }
        RecordsCommand::Remove { record } => {
            session.call(Request::RecordRemove {
                record: record.into(),
            })?;
        }
        RecordsCommand::Export { record, file } => {
            session.call(Request::RecordExport {
                record: record.into(),
                file: full_path(&file)?,
            })?;
        }
    }
    let Reply::Records(view) = session.call(Request::RecordStatus {})? else {
        return Err(unexpected());
    };
    session.out.result(&view, || text::records(&view))
}
