//! Files that the person names: readable copies, backups, another profile.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use slint::{ComponentHandle, SharedString};
use sotto_api::view::Record;
use sotto_api::{ConversationId, MessageId, Reply, Request, Secret};

use super::dialogs::{self, About};
use super::{Pages, passphrase};
use crate::{AppWindow, DialogKind, Dialogs, PageWords};

/// The person's own folder, as a beginning for what they may change.
fn home() -> PathBuf {
    ["HOME", "USERPROFILE"]
        .iter()
        .find_map(std::env::var_os)
        .map(PathBuf::from)
        .unwrap_or_default()
}

/// A path in the person's folder, as it stands in a field.
fn suggested(name: &str) -> SharedString {
    // A name that came from a conversation must not lead elsewhere.
    let name: String = name
        .chars()
        .map(|c| {
            if c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|') {
                '_'
            } else {
                c
            }
        })
        .collect();
    home().join(name).to_string_lossy().as_ref().into()
}

/// Asks where the history of a conversation goes as readable text, after saying what that means.
pub(super) fn ask_save_history(pages: &Pages, conversation: ConversationId) {
    let request = Request::HistoryExport {
        conversation,
        zone: String::new(),
        after: None,
    };
    pages.ask(request, move |pages, result| match result {
        Ok(Reply::Export(part)) => {
            let Some(ui) = pages.ui() else { return };
            let title = ui.global::<PageWords>().get_save_history();
            dialogs::open(
                pages,
                DialogKind::Save,
                About::SaveHistory(conversation),
                title,
                SharedString::default(),
            );
            ui.global::<Dialogs>().set_text(suggested(&part.name));
        }
        Ok(_) => {}
        Err(error) => pages.toast(error.message.into()),
    });
}

/// Asks where a record goes as a file that other programs open.
pub(super) fn ask_save_record(pages: &Pages, record: Record) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    let (title, name) = match record {
        Record::Stanzas => (words.get_records_save(), "sotto-stanzas.pcapng"),
        Record::Log => (words.get_log_save(), "sotto-log.txt"),
    };
    dialogs::open(
        pages,
        DialogKind::Save,
        About::SaveRecord(record),
        title,
        SharedString::default(),
    );
    ui.global::<Dialogs>().set_text(suggested(name));
}

pub(super) fn ask_back_up(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    dialogs::open(
        pages,
        DialogKind::BackUp,
        About::Nothing,
        SharedString::default(),
        SharedString::default(),
    );
    let today = jiff::Zoned::now().date();
    let dialogs = ui.global::<Dialogs>();
    dialogs.set_text3(suggested(&format!("sotto-backup-{today}")));
    dialogs.set_ticked(pages.has_passphrase());
}

pub(super) fn ask_restore(pages: &Pages) {
    dialogs::open(
        pages,
        DialogKind::Restore,
        About::Nothing,
        SharedString::default(),
        SharedString::default(),
    );
}

/// Asks for the folder of another profile.
pub(super) fn ask_profile(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    dialogs::open(
        pages,
        DialogKind::Path,
        About::OpenProfile,
        words.get_open_profile(),
        words.get_open_profile_lead(),
    );
    let dialogs = ui.global::<Dialogs>();
    dialogs.set_label(words.get_folder_word());
    dialogs.set_act(words.get_open());
}

/// Starts the program again with another profile, and ends this one.
pub(super) fn open_profile(ui: &AppWindow) {
    let dialogs = ui.global::<Dialogs>();
    let folder = PathBuf::from(dialogs.get_text().trim());
    if !folder.is_absolute() || !folder.is_dir() {
        return dialogs.set_error(ui.global::<PageWords>().get_no_folder());
    }
    match crate::platform::start_with(&folder) {
        Ok(()) => crate::shell::quit(),
        Err(words) => dialogs.set_error(words.into()),
    }
}

/// Writes a backup; the passphrase was typed twice.
pub(super) fn back_up(pages: &Pages, ui: &AppWindow) {
    let dialogs = ui.global::<Dialogs>();
    let Some(file) = whole(&dialogs.get_text3()) else {
        return dialogs.set_error2(ui.global::<PageWords>().get_no_file());
    };
    let Some(passphrase) = dialogs::twice(ui) else {
        return;
    };
    let current = dialogs
        .get_ticked()
        .then(|| Secret::new(dialogs.get_text4().into()));
    let request = Request::ProfileBackUp {
        current,
        file,
        passphrase,
    };
    dialogs::send(pages, request, |pages| {
        if let Some(ui) = pages.ui() {
            pages.toast(ui.global::<PageWords>().get_backed_up());
        }
    });
}

/// Makes the profile from a backup.
pub(super) fn restore(pages: &Pages, ui: &AppWindow) {
    let dialogs = ui.global::<Dialogs>();
    let Some(file) = whole(&dialogs.get_text3()) else {
        return dialogs.set_error2(ui.global::<PageWords>().get_no_file());
    };
    let passphrase = Secret::new(dialogs.get_text().into());
    let request = Request::ProfileRestore { file, passphrase };
    dialogs::send(pages, request, |pages| {
        passphrase::forget(pages);
        pages.read_profile();
    });
}

/// Saves a record.
pub(super) fn save_record(pages: &Pages, ui: &AppWindow, record: Record) {
    let dialogs = ui.global::<Dialogs>();
    let Some(file) = whole(&dialogs.get_text()) else {
        return dialogs.set_error(ui.global::<PageWords>().get_no_file());
    };
    let name = file.clone();
    dialogs::send(
        pages,
        Request::RecordExport { record, file },
        move |pages| saved(pages, &name),
    );
}

fn saved(pages: &Pages, file: &str) {
    if let Some(ui) = pages.ui() {
        let text = ui
            .global::<PageWords>()
            .invoke_saved_as(crate::model::isolate(file).into());
        pages.toast(text);
    }
}

/// An absolute path of something in a folder, as typed.
fn whole(text: &str) -> Option<String> {
    let path = Path::new(text.trim());
    (path.is_absolute() && path.file_name().is_some()).then(|| text.trim().to_owned())
}

/// Writes the history of a conversation, part after part. Nothing that lies there is overwritten.
pub(super) fn save_history(pages: &Pages, ui: &AppWindow, conversation: ConversationId) {
    let dialogs = ui.global::<Dialogs>();
    let words = ui.global::<PageWords>();
    let Some(path) = whole(&dialogs.get_text()) else {
        return dialogs.set_error(words.get_no_file());
    };
    match create(Path::new(&path)) {
        Ok(file) => {
            dialogs.set_busy(true);
            part(pages, conversation, None, Writing { file, path });
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            dialogs.set_error(words.get_file_there());
        }
        Err(_) => dialogs.set_error(words.get_file_not_written()),
    }
}

/// A new file that only this person's user account can read.
fn create(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

struct Writing {
    file: File,
    path: String,
}

fn part(
    pages: &Pages,
    conversation: ConversationId,
    after: Option<MessageId>,
    mut writing: Writing,
) {
    let request = Request::HistoryExport {
        conversation,
        zone: String::new(),
        after,
    };
    pages.ask(request, move |pages, result| {
        let words = match result {
            Ok(Reply::Export(export)) => {
                match (writing.file.write_all(export.text.as_bytes()), export.next) {
                    (Ok(()), Some(next)) => return part(pages, conversation, Some(next), writing),
                    (Ok(()), None) => None,
                    (Err(_), _) => pages
                        .ui()
                        .map(|ui| ui.global::<PageWords>().get_file_not_written()),
                }
            }
            Ok(_) => None,
            Err(error) => Some(error.message.into()),
        };
        match words {
            None => {
                dialogs::close(pages);
                saved(pages, &writing.path);
            }
            Some(words) => {
                // Half a history looks like a whole one: better none.
                drop(writing.file);
                let gone = std::fs::remove_file(&writing.path);
                if let Some(ui) = pages.ui() {
                    let dialogs = ui.global::<Dialogs>();
                    dialogs.set_busy(false);
                    dialogs.set_error(match gone {
                        Ok(()) => words,
                        Err(_) => format!("{words} {}", writing.path).into(),
                    });
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_ui_06_a_name_from_a_conversation_leads_nowhere_else() {
        let path = suggested("../../etc/passwd\n.txt");
        assert_eq!(Path::new(path.as_str()).parent(), Some(home().as_path()));
    }

    #[test]
    fn a_file_is_new_and_readable_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.txt");
        create(&path).unwrap();
        assert!(create(&path).is_err());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn only_whole_paths_are_taken() {
        assert_eq!(whole("history.txt"), None);
        assert_eq!(whole(""), None);
        assert!(whole(" /home/sara/history.txt ").is_some_and(|path| path.starts_with('/')));
    }
}
