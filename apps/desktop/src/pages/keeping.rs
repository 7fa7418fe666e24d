//! Options, General, History: what is kept for everyone, and for how long.

use slint::{ComponentHandle, SharedString};
use sotto_api::Request;
use sotto_api::view::{EraseScope, Expiry, Recording, Settings};

use super::{Pages, dialogs, history, model, options, with};
use crate::{AppWindow, Keeping, PageWords};

/// How long messages can be kept, the longest first.
pub const EXPIRIES: [Expiry; 5] = [
    Expiry::Never,
    Expiry::Year,
    Expiry::Month,
    Expiry::Week,
    Expiry::Day,
];

/// The most messages that a conversation shows when it is opened.
const MOST_SHOWN: u8 = 140;

/// The same in words.
pub fn expiry_words(words: &PageWords<'_>) -> [SharedString; 5] {
    [
        words.get_expiry_never(),
        words.get_expiry_year(),
        words.get_expiry_month(),
        words.get_expiry_week(),
        words.get_expiry_day(),
    ]
}

/// One of them.
pub(super) fn name(words: &PageWords<'_>, expiry: Expiry) -> SharedString {
    expiry_words(words)
        .get(place(expiry))
        .cloned()
        .unwrap_or_default()
}

pub(super) fn wire(ui: &AppWindow) {
    let page = ui.global::<Keeping>();
    page.on_keep_chosen(|keep| {
        with(|pages| options::set(pages, |settings| settings.keep_history = keep));
    });
    page.on_expiry_chosen(|index| with(|pages| expiry(pages, index)));
    page.on_shown_edited(|text| with(|pages| shown(pages, &text)));
    page.on_history(|| with(|pages| history::show(pages, None)));
    page.on_erase_all(|| with(|pages| history::ask_erase(pages, EraseScope::All)));
}

pub(super) fn fill(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Keeping>();
    let settings = &pages.state.borrow().settings;
    page.set_keep(settings.keep_history);
    page.set_recorded(settings.record_stanzas != Recording::Off);
    page.set_expiries(model(expiry_words(&ui.global::<PageWords>()).to_vec()));
    page.set_expiry(i32::try_from(place(settings.expiry)).unwrap_or_default());
    // A figure that is being typed, and is wrong so far, is left to the person.
    if page.get_shown_error().is_empty() {
        page.set_shown(settings.history_shown.to_string().into());
    }
}

fn place(expiry: Expiry) -> usize {
    EXPIRIES
        .iter()
        .position(|known| *known == expiry)
        .unwrap_or_default()
}

fn expiry(pages: &Pages, index: i32) {
    let Some(expiry) = usize::try_from(index)
        .ok()
        .and_then(|at| EXPIRIES.get(at).copied())
    else {
        return;
    };
    let mut settings: Settings = pages.state.borrow().settings.clone();
    if place(expiry) > place(settings.expiry) {
        settings.expiry = expiry;
        dialogs::ask_expiry(pages, expiry, Request::SettingsSet { settings });
    } else {
        options::set(pages, |settings| settings.expiry = expiry);
    }
}

fn shown(pages: &Pages, text: &str) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Keeping>();
    match text.trim().parse::<u8>().ok().filter(|n| *n <= MOST_SHOWN) {
        Some(count) => {
            page.set_shown_error(SharedString::default());
            options::set(pages, |settings| settings.history_shown = count);
        }
        None => page.set_shown_error(
            ui.global::<PageWords>()
                .invoke_number_wrong("0".into(), MOST_SHOWN.to_string().into()),
        ),
    }
}
