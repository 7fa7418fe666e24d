use std::path::Path;

use jiff::tz::TimeZone;

use crate::folder::Folder;
use crate::found::{Found, Problem, Program, ScanError};
use crate::{jitsi, pidgin};

/// Looks at everything in a program's folder and changes nothing. Reads every history once, to count it.
///
/// `master` is Jitsi's master password, if it has one. `zone` is the one that times without a zone are in: logs of
/// programs before 2007 have such.
///
/// # Errors
///
/// [`ScanError`]; a file that does not read is a [`Problem`] in what was found.
pub fn scan(
    program: Program,
    folder: &Path,
    master: Option<&str>,
    zone: &TimeZone,
) -> Result<Found, ScanError> {
    let folder = Folder::open(folder)?;
    let mut found = match program {
        Program::Jitsi => jitsi::scan(folder, master),
        Program::Pidgin => pidgin::scan(folder, zone),
    }?;
    count(&mut found);
    Ok(found)
}

fn count(found: &mut Found) {
    let mut broken = 0_u64;
    let files = found.settings_file.iter().chain(&found.key_files);
    let mut bytes: u64 = files.map(|file| file.bytes()).sum();
    for conversation in &mut found.conversations {
        let mut reader = conversation.open();
        while reader.next_message().is_some() {
            conversation.messages += 1;
        }
        broken += reader.broken();
        found.messages += conversation.messages;
        bytes += conversation
            .files
            .iter()
            .map(|file| file.source.bytes())
            .sum::<u64>();
    }
    found
        .conversations
        .retain(|conversation| conversation.messages > 0);
    let mut calls = found.calls.open();
    while calls.next_call().is_some() {
        found.calls.count += 1;
    }
    bytes += found
        .calls
        .files()
        .iter()
        .map(|file| file.bytes())
        .sum::<u64>();
    found.bytes = bytes;
    if broken > 0 {
        found
            .problems
            .push(Problem::RecordsUnreadable { count: broken });
    }
}
