//! What ends something: destroying the profile, and quitting while messages would be lost.

use slint::{ComponentHandle, SharedString};
use sotto_api::{Request, Secret};

use super::Pages;
use super::dialogs::{self, About};
use crate::{AppWindow, DialogKind, Dialogs, PageWords};

/// Asks before `messages` that were not sent and are not kept are lost by quitting.
pub(super) fn ask_quit(pages: &Pages, messages: u64) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    let count = i32::try_from(messages).unwrap_or(i32::MAX);
    dialogs::open(
        pages,
        DialogKind::Question,
        About::Quit,
        words.get_quit_title(),
        words.invoke_quit_lead(count),
    );
    let dialogs = ui.global::<Dialogs>();
    dialogs.set_act(words.get_quit_act());
    dialogs.set_safe(words.get_quit_stay());
    dialogs.set_danger(true);
}

/// Explains what closing the window does where there is a tray.
pub(super) fn ask_hide(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    dialogs::open(
        pages,
        DialogKind::Question,
        About::Hide,
        words.get_hide_title(),
        words.get_hide_lead(),
    );
    let dialogs = ui.global::<Dialogs>();
    dialogs.set_act(words.get_hide_act());
    dialogs.set_safe(words.get_hide_stay());
    dialogs.set_tick(words.get_hide_tick());
}

/// Says what is lost, and asks for the word and for the passphrase, if there is one.
pub(super) fn ask_destroy(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let folder = match &pages.state.borrow().profile {
        Some(profile) => profile.folder.clone(),
        None => return,
    };
    let words = ui.global::<PageWords>();
    dialogs::open(
        pages,
        DialogKind::Destroy,
        About::Nothing,
        words.get_destroy_title(),
        words.get_destroy_lead(),
    );
    let dialogs = ui.global::<Dialogs>();
    dialogs.set_note(words.invoke_destroy_note(crate::model::isolate(&folder).into()));
    dialogs.set_label(words.invoke_destroy_label(words.get_destroy_word()));
    dialogs.set_act(words.get_destroy_act());
    dialogs.set_safe(words.get_keep());
    dialogs.set_ticked(pages.has_passphrase());
}

/// Destroys it, if the word was typed. The engine ends then, and the window with it.
pub(super) fn destroy(pages: &Pages, ui: &AppWindow) {
    let dialogs = ui.global::<Dialogs>();
    let words = ui.global::<PageWords>();
    let word = words.get_destroy_word();
    if !is_typed(&dialogs.get_text3(), &word) {
        dialogs.set_error2(words.invoke_destroy_not_typed(word));
        return;
    }
    let current = dialogs
        .get_ticked()
        .then(|| Secret::new(dialogs.get_text().into()));
    dialogs.set_error2(SharedString::default());
    dialogs::send(pages, Request::ProfileDestroy { current }, |_| {});
}

/// Whether it is the word, in small or capital letters.
fn is_typed(typed: &str, word: &str) -> bool {
    !word.is_empty() && typed.trim().to_lowercase() == word.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_word_destroys() {
        assert!(is_typed(" Destroy ", "destroy"));
        assert!(!is_typed("destro", "destroy"));
        assert!(!is_typed("", "destroy"));
        assert!(!is_typed("", ""));
    }
}
