//! First start and later starts: choosing the passphrase, giving it.

use slint::ComponentHandle;
use sotto_api::view::StrengthView;
use sotto_api::{Protection, Reply, Request, Secret};

use super::{Pages, files, with};
use crate::{AppWindow, DialogKind, Dialogs, FirstStart, PageWords, Unlock};

pub(super) fn wire(ui: &AppWindow) {
    let first = ui.global::<FirstStart>();
    first.on_edited(|text| with(|pages| strength(pages, &text)));
    first.on_suggest(|| with(suggest));
    first.on_accept(|| with(create));
    first.on_without(|| with(ask_without));
    first.on_restore(|| with(files::ask_restore));
    let unlock = ui.global::<Unlock>();
    unlock.on_accept(|| with(open));
    unlock.on_other(|| with(files::ask_profile));
    unlock.on_quit(|| with(|pages| pages.ask(Request::Quit {}, |_, _| {})));
}

/// Empties every field that held a passphrase.
pub(super) fn forget(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let first = ui.global::<FirstStart>();
    first.set_passphrase("".into());
    first.set_again("".into());
    first.set_busy(false);
    let unlock = ui.global::<Unlock>();
    unlock.set_passphrase("".into());
    unlock.set_busy(false);
}

fn strength(pages: &Pages, text: &str) {
    measure(pages, text, |ui, view| {
        let first = ui.global::<FirstStart>();
        first.set_steps(i32::from(view.steps));
        first.set_word(view.word.into());
        first.set_meaning(view.meaning.into());
    });
}

/// Asks how well `text` resists guessing, and shows the answer; an empty text shows nothing.
pub(super) fn measure(
    pages: &Pages,
    text: &str,
    show: impl FnOnce(&AppWindow, StrengthView) + Send + 'static,
) {
    if text.is_empty() {
        if let Some(ui) = pages.ui() {
            show(
                &ui,
                StrengthView {
                    steps: 0,
                    word: String::new(),
                    meaning: String::new(),
                },
            );
        }
        return;
    }
    pages.ask(
        Request::PassphraseStrength {
            passphrase: Secret::new(text.to_owned()),
        },
        |pages, result| {
            if let (Ok(Reply::Strength(view)), Some(ui)) = (result, pages.ui()) {
                show(&ui, view);
            }
        },
    );
}

fn suggest(pages: &Pages) {
    pages.ask(Request::PassphraseSuggest {}, |pages, result| {
        if let (Ok(Reply::Suggestion(words)), Some(ui)) = (result, pages.ui()) {
            let first = ui.global::<FirstStart>();
            first.set_passphrase(words.as_str().into());
            first.set_passphrase_error("".into());
            first.set_reveal(true);
            strength(pages, &words);
        }
    });
}

fn create(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let first = ui.global::<FirstStart>();
    let words = ui.global::<PageWords>();
    let passphrase = first.get_passphrase();
    if passphrase.is_empty() {
        first.set_passphrase_error(words.get_nothing_typed());
    } else if passphrase != first.get_again() {
        first.set_again_error(words.get_differ());
    } else {
        make(
            pages,
            Protection::Passphrase {
                passphrase: Secret::new(passphrase.into()),
            },
        );
    }
}

fn make(pages: &Pages, protection: Protection) {
    let Some(ui) = pages.ui() else { return };
    ui.global::<FirstStart>().set_busy(true);
    let chosen = matches!(protection, Protection::Passphrase { .. });
    let request = Request::ProfileCreate { protection };
    pages.ask(request, move |pages, result| {
        let Some(ui) = pages.ui() else { return };
        let first = ui.global::<FirstStart>();
        first.set_busy(false);
        match result {
            Ok(_) => {
                if chosen {
                    pages.toast(ui.global::<PageWords>().get_passphrase_set());
                }
                pages.read_profile();
            }
            Err(error) => first.set_passphrase_error(error.message.into()),
        }
    });
}

fn ask_without(pages: &Pages) {
    if let Some(ui) = pages.ui() {
        ui.global::<Dialogs>()
            .set_kind(DialogKind::WithoutPassphrase);
    }
}

/// The person chose to go on without a passphrase, knowing what it means.
pub(super) fn without(pages: &Pages) {
    make(pages, Protection::None);
}

fn open(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let unlock = ui.global::<Unlock>();
    let passphrase = unlock.get_passphrase();
    if passphrase.is_empty() {
        unlock.set_error(ui.global::<PageWords>().get_no_passphrase());
        return;
    }
    unlock.set_busy(true);
    pages.ask(
        Request::ProfileUnlock {
            passphrase: Secret::new(passphrase.into()),
        },
        |pages, result| {
            let Some(ui) = pages.ui() else { return };
            let unlock = ui.global::<Unlock>();
            unlock.set_busy(false);
            match result {
                Ok(_) => pages.read_profile(),
                // What was typed stays: a slip is often one letter.
                Err(error) => unlock.set_error(error.message.into()),
            }
        },
    );
}
