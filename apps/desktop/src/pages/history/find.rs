//! Finding words, in one conversation or in all.

use std::cmp::Reverse;

use jiff::tz::TimeZone;
use slint::{ComponentHandle, SharedString};
use sotto_api::{MessageId, Reply, Request};

use super::{days, lines, next_round, read};
use crate::model::day_of;
use crate::pages::Pages;
use crate::{History, PageWords};

/// Finds that are read at once.
const FINDS: u32 = 100;

fn query(pages: &Pages) -> String {
    let query = pages.ui().map(|ui| ui.global::<History>().get_query());
    query.unwrap_or_default().trim().to_owned()
}

/// Whether something is looked for.
pub(super) fn is_searched(pages: &Pages) -> bool {
    !query(pages).is_empty()
}

/// Looks again for what is looked for.
pub(super) fn again(pages: &Pages) {
    search(pages, &query(pages));
}

/// Looks for nothing any more.
pub(super) fn empty(pages: &Pages) {
    if let Some(ui) = pages.ui() {
        ui.global::<History>().set_query(SharedString::default());
    }
    forget(pages);
    show_place(pages);
    days::show(pages);
}

fn forget(pages: &Pages) {
    let mut state = pages.state.borrow_mut();
    let history = &mut state.history;
    history.finds.clear();
    history.more_finds = false;
    history.last_find = None;
    history.find = 0;
}

/// Looks for words; the first find opens.
pub(super) fn search(pages: &Pages, query: &str) {
    let query = query.trim().to_owned();
    if query.is_empty() {
        forget(pages);
        show_place(pages);
        days::show(pages);
        lines::show(pages);
        return;
    }
    ask(pages, query, None, |pages| {
        pages.state.borrow_mut().history.find = 0;
        lines::show(pages);
        open(pages);
    });
}

/// Reads the next finds; with `step`, the next one opens.
pub(super) fn more(pages: &Pages, step: bool) {
    let (last, open_now) = {
        let state = pages.state.borrow();
        let history = &state.history;
        let now = history.finds.get(history.find).map(|find| find.message.id);
        (history.last_find.filter(|_| history.more_finds), now)
    };
    let Some(last) = last else { return };
    ask(pages, query(pages), Some(last), move |pages| {
        lines::show(pages);
        let known = {
            let state = pages.state.borrow();
            let mut finds = state.history.finds.iter();
            finds.position(|find| Some(find.message.id) == open_now)
        };
        if let Some(known) = known {
            pages.state.borrow_mut().history.find = known;
        }
        if step {
            self::step(pages, true);
        } else if let Some(message) = open_now {
            show_place(pages);
            lines::reveal(pages, message, true);
        }
    });
}

/// Asks for finds, from the newest or after one, and shows how many there are.
fn ask(
    pages: &Pages,
    query: String,
    before: Option<MessageId>,
    then: impl FnOnce(&Pages) + Send + 'static,
) {
    let round = next_round(pages);
    let request = Request::Search {
        query,
        conversation: pages.state.borrow().history.conversation(),
        before,
        limit: FINDS,
    };
    pages.ask(request, move |pages, result| {
        if pages.state.borrow().history.round != round {
            return;
        }
        match result {
            Ok(Reply::Found(page)) => {
                let mut state = pages.state.borrow_mut();
                let history = &mut state.history;
                if before.is_none() {
                    history.finds.clear();
                }
                history.last_find = page.hits.last().map(|find| find.message.id);
                history.more_finds = page.more;
                history.finds.extend(page.hits);
                // The search goes by when messages came here; what was taken over from another program came late.
                history
                    .finds
                    .sort_by_key(|find| Reverse((find.message.at, find.message.id)));
                drop(state);
                days::show(pages);
                then(pages);
                show_place(pages);
            }
            Ok(_) => {}
            Err(error) => pages.toast(error.message.into()),
        }
    });
}

/// *2 of 6*.
pub(super) fn show_place(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    let searched = is_searched(pages);
    let state = pages.state.borrow();
    let history = &state.history;
    let figure = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    let text = if !searched {
        SharedString::default()
    } else if history.finds.is_empty() {
        words.get_nothing_found()
    } else if history.more_finds {
        words.invoke_place_more(figure(history.find + 1), figure(history.finds.len()))
    } else {
        words.invoke_place(figure(history.find + 1), figure(history.finds.len()))
    };
    ui.global::<History>().set_place(text);
}

/// The next find, or the one before; after the last known one the next are read.
pub(super) fn step(pages: &Pages, forward: bool) {
    {
        let mut state = pages.state.borrow_mut();
        let history = &mut state.history;
        let count = history.finds.len();
        if count == 0 {
            return;
        }
        if forward && history.find + 1 == count && history.more_finds {
            drop(state);
            return more(pages, true);
        }
        history.find = if forward {
            (history.find + 1) % count
        } else {
            (history.find + count - 1) % count
        };
    }
    show_place(pages);
    open(pages);
}

/// Opens the first find of a day; whether there is one.
pub(super) fn open_on(pages: &Pages, day: &str) -> bool {
    let zone = TimeZone::system();
    let found = {
        let state = pages.state.borrow();
        let mut finds = state.history.finds.iter();
        finds.position(|find| day_of(find.message.at, &zone).to_string() == day)
    };
    if let Some(found) = found {
        pages.state.borrow_mut().history.find = found;
        show_place(pages);
        open(pages);
    }
    found.is_some()
}

/// Shows the find that is open, where it was said.
fn open(pages: &Pages) {
    let (conversation, find) = {
        let state = pages.state.borrow();
        let history = &state.history;
        let find = history.finds.get(history.find).map(|find| find.message.id);
        (history.conversation(), find)
    };
    match (conversation, find) {
        (Some(conversation), Some(message)) => read::around(pages, conversation, message, false),
        (None, Some(message)) => lines::reveal(pages, message, true),
        (_, None) => {}
    }
}
