//! Options, Security, Passwords: locking by time, the passwords that are kept.

use slint::{ComponentHandle, SharedString};
use sotto_api::view::{ProtectionKind, SavedPasswordView};
use sotto_api::{Reply, Request};

use super::{Pages, dialogs, model, options, with};
use crate::{AppWindow, PageWords, PasswordRow, Passwords, Words};

/// Minutes after which the profile locks by itself, as the list offers them; the first is never.
const LOCK: [u16; 7] = [0, 1, 5, 10, 15, 30, 60];

pub(super) fn wire(ui: &AppWindow) {
    let page = ui.global::<Passwords>();
    page.on_passphrase(|| with(dialogs::ask_passphrase));
    page.on_remove_passphrase(|| with(dialogs::ask_remove_passphrase));
    page.on_lock_chosen(|index| with(|pages| lock_after(pages, index)));
    page.on_show_list(|| {
        with(|pages| {
            if let Some(ui) = pages.ui() {
                ui.global::<Passwords>().set_open(true);
            }
            read(pages);
        });
    });
    page.on_show(|index| {
        with(|pages| {
            if let Some(saved) = at(pages, index) {
                dialogs::ask_show_password(pages, &saved);
            }
        });
    });
    page.on_remove(|index| {
        with(|pages| {
            if let Some(saved) = at(pages, index) {
                dialogs::ask_remove_password(pages, Some(&saved));
            }
        });
    });
    page.on_remove_all(|| with(|pages| dialogs::ask_remove_password(pages, None)));
}

fn at(pages: &Pages, index: i32) -> Option<SavedPasswordView> {
    let at = usize::try_from(index).ok()?;
    pages.state.borrow().saved.get(at).cloned()
}

/// The section is opened anew.
pub(super) fn open(pages: &Pages) {
    if let Some(ui) = pages.ui() {
        ui.global::<Passwords>().set_open(false);
    }
    read(pages);
}

/// Reads whose passwords are kept.
pub(super) fn read(pages: &Pages) {
    pages.ask(Request::SavedPasswordList {}, |pages, result| {
        let Some(ui) = pages.ui() else { return };
        let page = ui.global::<Passwords>();
        match result {
            Ok(Reply::SavedPasswords(saved)) => {
                page.set_error(SharedString::default());
                let dates = ui.global::<Words>();
                let rows: Vec<PasswordRow> = saved
                    .iter()
                    .map(|saved| PasswordRow {
                        address: saved.address.as_str().into(),
                        network: saved.network.to_uppercase().into(),
                        since: day(&dates, saved.stored_at.0),
                    })
                    .collect();
                page.set_saved(model(rows));
                pages.state.borrow_mut().saved = saved;
            }
            Ok(_) => {}
            Err(error) => page.set_error(error.message.into()),
        }
    });
}

fn day(dates: &Words<'_>, at: i64) -> SharedString {
    let Ok(at) = jiff::Timestamp::from_millisecond(at) else {
        return "?".into();
    };
    let at = at.to_zoned(jiff::tz::TimeZone::system());
    dates.invoke_date_year(
        at.day().into(),
        at.month().into(),
        at.year().to_string().into(),
    )
}

/// What protects the profile, and after which time it locks.
pub(super) fn fill(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Passwords>();
    let words = ui.global::<PageWords>();
    let state = pages.state.borrow();
    if let Some(profile) = &state.profile {
        page.set_has_passphrase(profile.protection == Some(ProtectionKind::Passphrase));
        page.set_protection(match profile.protection {
            Some(ProtectionKind::Passphrase) | None => words.get_sealed_with(),
            Some(ProtectionKind::Keyring) => words.get_in_keyring(),
            Some(ProtectionKind::KeyFile) => words.get_in_file(),
        });
        page.set_folder(profile.folder.as_str().into());
    }
    let minutes = state.settings.lock_after;
    let choices = choices(minutes);
    let names: Vec<SharedString> = choices
        .iter()
        .map(|minutes| match minutes {
            0 => words.get_lock_never(),
            minutes => words.invoke_lock_after(i32::from(*minutes)),
        })
        .collect();
    let at = choices.iter().position(|choice| *choice == minutes);
    page.set_lock_choices(model(names));
    page.set_lock_after(at.and_then(|at| i32::try_from(at).ok()).unwrap_or(0));
}

/// The times that are offered; one that was set elsewhere is among them.
fn choices(minutes: u16) -> Vec<u16> {
    let mut choices = LOCK.to_vec();
    if !choices.contains(&minutes) {
        choices.push(minutes);
        choices.sort_unstable();
    }
    choices
}

fn lock_after(pages: &Pages, index: i32) {
    let minutes = {
        let state = pages.state.borrow();
        let choices = choices(state.settings.lock_after);
        usize::try_from(index)
            .ok()
            .and_then(|at| choices.get(at).copied())
    };
    if let Some(minutes) = minutes {
        options::set(pages, |settings| settings.lock_after = minutes);
    }
}
