//! History: the days on which something was said, finding, saving as a file, erasing.

mod days;
mod erase;
mod find;
mod lines;
mod read;

use slint::{ComponentHandle, SharedString};
use sotto_api::view::{ConversationView, DayView, EraseScope, MessageView, SearchHit};
use sotto_api::{ConversationId, MessageId, Reply, Request};

use super::{Pages, files, model, options, with};
use crate::model::{isolate, one_line};
use crate::{AppWindow, History, Page, PageWords};

pub(super) use erase::{act, ask_erase};

/// What the page shows, as last read.
#[derive(Default)]
pub(super) struct HistoryState {
    /// Whose history is open; absent: only that of all.
    with: Option<ConversationView>,
    all: bool,
    days: Vec<DayView>,
    day: Option<usize>,
    /// What was said in the conversation, as far as it is read.
    messages: Vec<MessageView>,
    /// What was said on the chosen day in all conversations, as far as it is read.
    said: Vec<SearchHit>,
    /// What stands in each row: a message, or none for the name of a day.
    rows: Vec<Option<MessageId>>,
    older: bool,
    newer: bool,
    /// What was found, the newest first.
    finds: Vec<SearchHit>,
    more_finds: bool,
    /// The last find as the search gave them: the next ones come after it.
    last_find: Option<MessageId>,
    find: usize,
    /// The message of the open menu.
    menu: Option<MessageId>,
    /// Raised with each question, so that late answers are dropped.
    round: u64,
    /// The same for the days, which are asked for beside the messages.
    days_round: u64,
}

impl HistoryState {
    fn conversation(&self) -> Option<ConversationId> {
        self.with.as_ref().filter(|_| !self.all).map(|view| view.id)
    }

    /// Nothing, but late answers to what was asked before are still told apart.
    fn emptied(&self) -> Self {
        Self {
            round: self.round + 1,
            days_round: self.days_round + 1,
            ..Self::default()
        }
    }
}

/// Where the page was, to come back to it after a lock.
#[derive(Clone, Copy)]
pub(super) struct Place {
    with: Option<ConversationId>,
    all: bool,
}

pub(super) fn wire(ui: &AppWindow) {
    let page = ui.global::<History>();
    page.on_searched(|text| with(|pages| find::search(pages, &text)));
    page.on_find(|forward| with(|pages| find::step(pages, forward)));
    page.on_scope_chosen(|scope| with(|pages| scope_is(pages, scope == 1)));
    page.on_day_chosen(|index| with(|pages| days::choose(pages, index)));
    page.on_days_more(|| with(|pages| days::read(pages, true)));
    page.on_page_older(|| with(|pages| read::page_on(pages, true)));
    page.on_page_newer(|| with(|pages| read::page_on(pages, false)));
    page.on_picked(|index| with(|pages| picked(pages, index)));
    page.on_moved(|by| with(|pages| lines::go(pages, by)));
    page.on_menu(|index, x, y| with(|pages| erase::menu(pages, index, x, y)));
    page.on_erase_line(|index| with(|pages| erase::line(pages, index)));
    page.on_save(|| with(save));
    page.on_erase(|x, y| with(|pages| erase::page_menu(pages, x, y)));
    page.on_kept(|| with(|pages| options::show(pages, Some(2))));
    page.on_leave(|| with(leave));
}

/// Opens the history of a conversation, or of all.
pub(super) fn show(pages: &Pages, view: Option<ConversationView>) {
    let Some(ui) = pages.ui() else { return };
    let emptied = pages.state.borrow().history.emptied();
    pages.state.borrow_mut().history = HistoryState {
        all: view.is_none(),
        with: view,
        ..emptied
    };
    ui.global::<History>().set_query(SharedString::default());
    head(pages);
    pages.show(Page::History);
    reload(pages, false);
}

/// Where the page is.
pub(super) fn place(pages: &Pages) -> Place {
    let history = &pages.state.borrow().history;
    Place {
        with: history.with.as_ref().map(|view| view.id),
        all: history.all,
    }
}

/// Opens the page where it was before.
pub(super) fn come_back(pages: &Pages, place: Place) {
    let Some(conversation) = place.with else {
        return show(pages, None);
    };
    let request = Request::ConversationView { conversation };
    pages.ask(request, move |pages, result| {
        if let Ok(Reply::Conversation(view)) = result {
            show(pages, Some(view));
            if place.all {
                scope_is(pages, true);
            }
        }
    });
}

/// Nothing of it stays behind: for a lock, and when the page is left.
pub(super) fn forget(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let emptied = pages.state.borrow().history.emptied();
    pages.state.borrow_mut().history = emptied;
    let page = ui.global::<History>();
    page.set_query(SharedString::default());
    page.set_name(SharedString::default());
    page.set_first_name(SharedString::default());
    page.set_initials(SharedString::default());
    page.set_has_picture(false);
    page.set_picture(slint::Image::default());
    page.set_count(SharedString::default());
    page.set_place(SharedString::default());
    page.set_days(model(Vec::new()));
    lines::show(pages);
}

fn leave(pages: &Pages) {
    forget(pages);
    pages.show(Page::Main);
}

fn is_open(pages: &Pages) -> bool {
    pages
        .ui()
        .is_some_and(|ui| ui.global::<crate::App>().get_page() == Page::History)
}

/// Much changed at once: everything is read anew.
pub(super) fn erased(pages: &Pages) {
    if is_open(pages) {
        reload(pages, true);
        find::again(pages);
    }
}

/// One message is about to go: the keyboard steps off it, so that the page stays where it is.
pub(super) fn leaving(pages: &Pages, message: MessageId) {
    if is_open(pages) {
        lines::step_off(pages, message);
    }
}

/// One message went.
pub(super) fn removed(pages: &Pages, message: MessageId) {
    if is_open(pages) {
        let mut state = pages.state.borrow_mut();
        let history = &mut state.history;
        history.messages.retain(|known| known.id != message);
        history.finds.retain(|find| find.message.id != message);
        history.said.retain(|said| said.message.id != message);
        drop(state);
        lines::show_near(pages);
        find::show_place(pages);
        days::read(pages, false);
        count(pages);
    }
}

/// Reads everything anew; with `stay`, around the line that is marked.
fn reload(pages: &Pages, stay: bool) {
    days::read(pages, false);
    count(pages);
    let conversation = pages.state.borrow().history.conversation();
    match conversation {
        Some(conversation) if stay => read::again(pages, conversation),
        Some(conversation) => read::newest(pages, conversation),
        None if stay && days::said_again(pages) => {}
        None => {
            let mut state = pages.state.borrow_mut();
            state.history.messages.clear();
            state.history.said.clear();
            state.history.older = false;
            state.history.newer = false;
            drop(state);
            lines::show(pages);
        }
    }
}

fn head(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<History>();
    let words = ui.global::<PageWords>();
    let state = pages.state.borrow();
    page.set_person(state.history.with.is_some());
    page.set_scope(i32::from(state.history.all));
    page.set_count(SharedString::default());
    page.set_left_out(if state.settings.keep_private {
        SharedString::default()
    } else {
        words.get_private_left_out()
    });
    if let Some(view) = &state.history.with {
        let contact = &view.contact;
        page.set_name(isolate(&one_line(&contact.name)).into());
        page.set_first_name(first_name(&contact.name).into());
        page.set_initials(contact.initials.as_str().into());
        page.set_colour(i32::from(contact.colour % 6));
    }
    let avatar = state
        .history
        .with
        .as_ref()
        .and_then(|view| view.contact.avatar.clone());
    drop(state);
    page.set_has_picture(false);
    if let Some(hash) = avatar {
        pages.ask(Request::AvatarGet { hash }, |pages, result| {
            if let (Ok(Reply::Avatar(Some(picture))), Some(ui)) = (result, pages.ui())
                && let Some(picture) = crate::picture::decode(&picture)
            {
                let page = ui.global::<History>();
                page.set_has_picture(true);
                page.set_picture(picture);
            }
        });
    }
}

fn first_name(name: &str) -> String {
    isolate(&one_line(
        name.split_whitespace().next().unwrap_or_default(),
    ))
}

/// How much is kept, below the name.
fn count(pages: &Pages) {
    let Some(conversation) = pages.state.borrow().history.conversation() else {
        return;
    };
    let what = EraseScope::Conversation { conversation };
    pages.ask(Request::HistoryCount { what }, move |pages, result| {
        let (Ok(Reply::Erased(view)), Some(ui)) = (result, pages.ui()) else {
            return;
        };
        if pages.state.borrow().history.conversation() == Some(conversation) {
            let figure = i32::try_from(view.messages).unwrap_or(i32::MAX);
            let text = ui.global::<PageWords>().invoke_messages_sealed(figure);
            ui.global::<History>().set_count(text);
        }
    });
}

fn next_round(pages: &Pages) -> u64 {
    let mut state = pages.state.borrow_mut();
    state.history.round += 1;
    state.history.round
}

fn scope_is(pages: &Pages, all: bool) {
    {
        let mut state = pages.state.borrow_mut();
        let history = &mut state.history;
        // Without a person there is only the history of all.
        history.all = all || history.with.is_none();
        history.day = None;
        history.finds.clear();
    }
    head(pages);
    reload(pages, false);
    find::again(pages);
}

/// A line was chosen: among those of all conversations it leads to its own.
fn picked(pages: &Pages, index: i32) {
    let Some(message) = lines::at(pages, index) else {
        return;
    };
    let conversation = {
        let state = pages.state.borrow();
        let history = &state.history;
        let mut known = history.finds.iter().chain(&history.said);
        known
            .find(|line| history.all && line.message.id == message)
            .map(|line| line.message.conversation)
    };
    if let Some(conversation) = conversation {
        leave(pages);
        crate::shell::open_message(conversation, message);
    } else {
        lines::mark(pages, index);
    }
}

fn save(pages: &Pages) {
    let Some(conversation) = pages.state.borrow().history.conversation() else {
        return;
    };
    files::ask_save_history(pages, conversation);
}
