//! Options, Advanced, Logging, and the bar over every page while stanzas are recorded.

use slint::{ComponentHandle, SharedString};
use sotto_api::view::{Record, Recording, RecordsView};
use sotto_api::{Reply, Request};

use super::{Pages, dialogs, files, options, with};
use crate::model::isolate;
use crate::{App, AppWindow, PageWords, Records};

const FILES: std::ops::RangeInclusive<u8> = 1..=20;
const SIZES: std::ops::RangeInclusive<u32> = 100..=100_000;

pub(super) fn wire(ui: &AppWindow) {
    let page = ui.global::<Records>();
    page.on_stanzas_chosen(|index| {
        with(|pages| match index {
            0 => record(pages, Recording::Off),
            1 => record(pages, Recording::Sealed),
            _ => dialogs::ask_record_plain(pages),
        });
    });
    page.on_files_edited(|text| {
        with(|pages| {
            let files = text.trim().parse().ok().filter(|n| FILES.contains(n));
            number(
                pages,
                files.is_some(),
                |page, error| page.set_files_error(error),
                ("1", "20"),
            );
            if let Some(files) = files {
                options::set(pages, |settings| settings.record_files = files);
            }
        });
    });
    page.on_size_edited(|text| {
        with(|pages| {
            let size = text.trim().parse().ok().filter(|n| SIZES.contains(n));
            number(
                pages,
                size.is_some(),
                |page, error| page.set_size_error(error),
                ("100", "100000"),
            );
            if let Some(size) = size {
                options::set(pages, |settings| settings.record_size = size);
            }
        });
    });
    page.on_log_chosen(|on| {
        with(|pages| options::set(pages, |settings| settings.record_log = on));
    });
    page.on_look(|| with(read));
    page.on_save(|stanzas| with(|pages| files::ask_save_record(pages, which(stanzas))));
    page.on_remove(|stanzas| with(|pages| dialogs::ask_remove_record(pages, which(stanzas))));
}

fn which(stanzas: bool) -> Record {
    if stanzas {
        Record::Stanzas
    } else {
        Record::Log
    }
}

/// As the page counts the ways of recording.
fn number_of(recording: Recording) -> i32 {
    match recording {
        Recording::Off => 0,
        Recording::Sealed => 1,
        Recording::Plain => 2,
    }
}

fn number(
    pages: &Pages,
    good: bool,
    set: impl for<'a, 'b> Fn(&'a Records<'b>, SharedString),
    (least, most): (&str, &str),
) {
    let Some(ui) = pages.ui() else { return };
    let error = if good {
        SharedString::default()
    } else {
        ui.global::<PageWords>()
            .invoke_number_wrong(least.into(), most.into())
    };
    set(&ui.global::<Records>(), error);
}

/// Records stanzas so from now on, or not.
pub(super) fn record(pages: &Pages, recording: Recording) {
    options::set(pages, |settings| settings.record_stanzas = recording);
}

pub(super) fn fill(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Records>();
    let settings = &pages.state.borrow().settings;
    let in_force = number_of(settings.record_stanzas);
    page.set_stanzas(in_force);
    page.set_in_force(in_force);
    page.set_history_off(!settings.keep_history);
    if page.get_files_error().is_empty() {
        page.set_files(settings.record_files.to_string().into());
    }
    if page.get_size_error().is_empty() {
        page.set_size(settings.record_size.to_string().into());
    }
    page.set_log(settings.record_log);
}

/// Reads what is recorded, and what lies there.
pub(super) fn read(pages: &Pages) {
    pages.ask(Request::RecordStatus {}, |pages, result| {
        if let Ok(Reply::Records(view)) = result {
            show(pages, &view);
        }
    });
}

fn show(pages: &Pages, view: &RecordsView) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    ui.global::<App>().set_recording(words.invoke_recording(
        number_of(view.stanzas),
        view.log,
        isolate(&view.folder).into(),
    ));
    let page = ui.global::<Records>();
    page.set_failure(view.failure.as_str().into());
    page.set_folder(isolate(&view.folder).into());
    page.set_has_stanzas(view.stanza_files > 0);
    page.set_stanzas_there(words.invoke_files_there(
        i32::try_from(view.stanza_files).unwrap_or(i32::MAX),
        size(view.stanza_bytes).into(),
    ));
    page.set_has_log(view.log_bytes > 0);
    page.set_log_there(size(view.log_bytes).into());
}

/// A size for people, in units of 1000.
pub(super) fn size(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB"];
    let mut value = bytes;
    let mut rest = 0;
    let mut unit = 0;
    while value >= 1000 && unit + 1 < units.len() {
        rest = value % 1000;
        value /= 1000;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or_default();
    if unit == 0 || value >= 10 {
        format!("{value} {name}")
    } else {
        format!("{value}.{} {name}", rest / 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_in_the_unit_that_fits() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_500), "1.5 kB");
        assert_eq!(size(12_345_678), "12 MB");
        assert_eq!(size(u64::MAX), "18446744073 GB");
    }
}
