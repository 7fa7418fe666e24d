//! The page's menus, and erasing.

use jiff::civil::Date;
use slint::{ComponentHandle, SharedString};
use sotto_api::view::EraseScope;
use sotto_api::{Reply, Request};

use super::{first_name, lines};
use crate::pages::{Pages, dialogs};
use crate::shell::WindowWords;
use crate::{MenuEntries, Menus, PageWords, Words};

/// The menu of a line.
pub(super) fn menu(pages: &Pages, index: i32, x: f32, y: f32) {
    let (Some(message), Some(ui)) = (lines::at(pages, index), pages.ui()) else {
        return;
    };
    pages.state.borrow_mut().history.menu = Some(message);
    lines::mark(pages, index);
    let items = ui.global::<MenuEntries>().get_history_message();
    ui.global::<Menus>().invoke_show(items, x, y);
}

/// The menu of the page.
pub(super) fn page_menu(pages: &Pages, x: f32, y: f32) {
    let Some(ui) = pages.ui() else { return };
    let items = ui.global::<MenuEntries>().get_history_erase();
    ui.global::<Menus>().invoke_show(items, x, y);
}

/// Asks before a line is erased.
pub(super) fn line(pages: &Pages, index: i32) {
    if let Some(message) = lines::at(pages, index) {
        ask_erase(pages, EraseScope::Message { message });
    }
}

/// What a menu of the page asks for; whether it was one of its own.
pub(in crate::pages) fn act(pages: &Pages, name: &str) -> bool {
    match name {
        "history-copy" => {
            let text = {
                let state = pages.state.borrow();
                let history = &state.history;
                history
                    .messages
                    .iter()
                    .chain(history.finds.iter().map(|find| &find.message))
                    .chain(history.said.iter().map(|said| &said.message))
                    .find(|message| Some(message.id) == history.menu)
                    .map(|message| message.body.clone())
            };
            if let (Some(text), Some(ui)) = (text, pages.ui()) {
                ui.global::<crate::App>().invoke_copy(text.into());
                pages.toast(ui.global::<Words>().get_copied());
            }
        }
        "history-erase-message" => {
            let message = pages.state.borrow().history.menu;
            if let Some(message) = message {
                ask_erase(pages, EraseScope::Message { message });
            }
        }
        "history-erase-day" => {
            let (conversation, day) = {
                let state = pages.state.borrow();
                let history = &state.history;
                let day = history.day.and_then(|at| history.days.get(at));
                (history.conversation(), day.map(|day| day.day.clone()))
            };
            match day {
                Some(day) => ask_erase(
                    pages,
                    EraseScope::Day {
                        conversation,
                        day,
                        zone: String::new(),
                    },
                ),
                None => {
                    if let Some(ui) = pages.ui() {
                        pages.toast(ui.global::<PageWords>().get_choose_day());
                    }
                }
            }
        }
        "history-erase-person" => {
            let conversation = pages.state.borrow().history.with.as_ref().map(|v| v.id);
            match conversation {
                Some(conversation) => {
                    ask_erase(pages, EraseScope::Conversation { conversation });
                }
                None => {
                    if let Some(ui) = pages.ui() {
                        pages.toast(ui.global::<PageWords>().get_choose_person());
                    }
                }
            }
        }
        "history-erase-all" => ask_erase(pages, EraseScope::All),
        _ => return false,
    }
    true
}

/// Says how much an erasure would take, and asks.
pub(in crate::pages) fn ask_erase(pages: &Pages, what: EraseScope) {
    let request = Request::HistoryCount { what: what.clone() };
    pages.ask(request, move |pages, result| match result {
        Ok(Reply::Erased(view)) => {
            let title = erase_title(pages, &what);
            dialogs::ask_erase(pages, title, &view, what);
        }
        Ok(_) => {}
        Err(error) => pages.toast(error.message.into()),
    });
}

fn erase_title(pages: &Pages, what: &EraseScope) -> SharedString {
    let Some(ui) = pages.ui() else {
        return SharedString::default();
    };
    let words = ui.global::<PageWords>();
    let date = |day: &str| -> SharedString {
        day.parse::<Date>().map_or_else(
            |_| day.into(),
            |day| WindowWords::of(&ui).full_day(day).into(),
        )
    };
    match what {
        EraseScope::Message { .. } => words.get_erase_message(),
        EraseScope::Conversation { conversation } => {
            let known = pages
                .state
                .borrow()
                .history
                .with
                .as_ref()
                .filter(|view| view.id == *conversation)
                .map(|view| first_name(&view.contact.name));
            let name = known.map_or_else(
                || ui.global::<crate::Talk>().get_first_name(),
                SharedString::from,
            );
            words.invoke_erase_person(name)
        }
        EraseScope::Day { day, .. } => words.invoke_erase_day(date(day)),
        EraseScope::Account { .. } | EraseScope::All => words.get_erase_all(),
    }
}
