//! History: the days on which something was said, finding, saving as a file, erasing.

use std::collections::HashMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use slint::{ComponentHandle, SharedString, StyledText};
use sotto_api::view::{
    ConversationView, DayView, Direction, EraseScope, MessageKind, MessageView, SearchHit,
};
use sotto_api::{ConversationId, MessageId, Reply, Request};

use super::{Pages, dialogs, files, model, options, with};
use crate::model::{day_of, isolate, marked, one_line, right_to_left};
use crate::shell::WindowWords;
use crate::{AppWindow, DayRow, History, HistoryRow, MenuEntries, Menus, Page, PageWords, Words};

/// Messages that are read at once.
const PAGE: u32 = 100;
/// Messages around a find.
const AROUND: u32 = 30;
/// Days that are read at once.
const DAYS: u32 = 200;
/// Finds that are read at once.
const FINDS: u32 = 100;

/// What the page shows, as last read.
#[derive(Default)]
pub(super) struct HistoryState {
    /// Whose history is open; absent: only that of all.
    with: Option<ConversationView>,
    all: bool,
    days: Vec<DayView>,
    day: Option<usize>,
    messages: Vec<MessageView>,
    /// What stands in each row: a message, or none for the name of a day.
    rows: Vec<Option<MessageId>>,
    older: bool,
    newer: bool,
    finds: Vec<SearchHit>,
    more_finds: bool,
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
}

pub(super) fn wire(ui: &AppWindow) {
    let page = ui.global::<History>();
    page.on_searched(|text| with(|pages| search(pages, &text)));
    page.on_find(|forward| with(|pages| step(pages, forward)));
    page.on_scope_chosen(|scope| with(|pages| scope_is(pages, scope == 1)));
    page.on_day_chosen(|index| with(|pages| day(pages, index)));
    page.on_days_more(|| with(|pages| read_days(pages, true)));
    page.on_page_older(|| with(|pages| page_on(pages, true)));
    page.on_page_newer(|| with(|pages| page_on(pages, false)));
    page.on_picked(|index| with(|pages| picked(pages, index)));
    page.on_menu(|index, x, y| with(|pages| menu(pages, index, x, y)));
    page.on_save(|| with(save));
    page.on_erase(|x, y| with(|pages| erase_menu(pages, x, y)));
    page.on_kept(|| with(|pages| options::show(pages, Some(2))));
    page.on_leave(|| with(leave));
}

/// Opens the history of a conversation, or of all.
pub(super) fn show(pages: &Pages, view: Option<ConversationView>) {
    let Some(ui) = pages.ui() else { return };
    let (round, days_round) = {
        let history = &pages.state.borrow().history;
        (history.round, history.days_round)
    };
    pages.state.borrow_mut().history = HistoryState {
        all: view.is_none(),
        with: view,
        round: round + 1,
        days_round: days_round + 1,
        ..HistoryState::default()
    };
    let page = ui.global::<History>();
    page.set_query(SharedString::default());
    head(pages);
    pages.show(Page::History);
    reload(pages);
}

/// Nothing of it stays behind: for a lock, and when the page is left.
pub(super) fn forget(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let (round, days_round) = {
        let history = &pages.state.borrow().history;
        (history.round, history.days_round)
    };
    pages.state.borrow_mut().history = HistoryState {
        round: round + 1,
        days_round: days_round + 1,
        ..HistoryState::default()
    };
    let page = ui.global::<History>();
    page.set_query(SharedString::default());
    page.set_name(SharedString::default());
    page.set_first_name(SharedString::default());
    page.set_initials(SharedString::default());
    page.set_has_picture(false);
    page.set_picture(slint::Image::default());
    page.set_count(SharedString::default());
    page.set_days(model(Vec::new()));
    show_rows(pages);
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
        let query = pages
            .ui()
            .map(|ui| ui.global::<History>().get_query())
            .unwrap_or_default();
        reload(pages);
        if !query.is_empty() {
            search(pages, &query);
        }
    }
}

/// One message went.
pub(super) fn removed(pages: &Pages, message: MessageId) {
    if is_open(pages) {
        let mut state = pages.state.borrow_mut();
        state.history.messages.retain(|known| known.id != message);
        state
            .history
            .finds
            .retain(|find| find.message.id != message);
        drop(state);
        show_rows(pages);
        show_place(pages);
        read_days(pages, false);
    }
}

fn reload(pages: &Pages) {
    read_days(pages, false);
    count(pages);
    let conversation = pages.state.borrow().history.conversation();
    match conversation {
        Some(conversation) => newest(pages, conversation),
        None => {
            let mut state = pages.state.borrow_mut();
            state.history.messages.clear();
            state.history.older = false;
            state.history.newer = false;
            drop(state);
            show_rows(pages);
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

fn read_days(pages: &Pages, more: bool) {
    let (conversation, before, round) = {
        let mut state = pages.state.borrow_mut();
        let last = state.history.days.last().map(|day| day.day.clone());
        state.history.days_round += 1;
        (
            state.history.conversation(),
            last.filter(|_| more),
            state.history.days_round,
        )
    };
    let request = Request::HistoryDays {
        conversation,
        zone: String::new(),
        before,
        limit: DAYS,
    };
    pages.ask(request, move |pages, result| {
        if pages.state.borrow().history.days_round != round {
            return;
        }
        let Some(ui) = pages.ui() else { return };
        match result {
            Ok(Reply::Days(page)) => {
                let mut state = pages.state.borrow_mut();
                if more {
                    state.history.days.extend(page.days);
                } else {
                    state.history.days = page.days;
                    state.history.day = None;
                }
                drop(state);
                ui.global::<History>().set_more_days(page.more);
                show_days(pages);
            }
            Ok(_) => {}
            Err(error) => pages.toast(error.message.into()),
        }
    });
}

fn show_days(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    let dates = ui.global::<Words>();
    let state = pages.state.borrow();
    let zone = TimeZone::system();
    let mut found: HashMap<Date, i32> = HashMap::new();
    for find in &state.history.finds {
        *found.entry(day_of(find.message.at, &zone)).or_default() += 1;
    }
    let mut month = None;
    let rows: Vec<DayRow> = state
        .history
        .days
        .iter()
        .map(|day| {
            let Ok(date) = day.day.parse::<Date>() else {
                return DayRow {
                    title: day.day.as_str().into(),
                    ..DayRow::default()
                };
            };
            let this = (date.year(), date.month());
            let heading = if month == Some(this) {
                SharedString::default()
            } else {
                month = Some(this);
                words.invoke_month_year(
                    dates.invoke_month(date.month().into()),
                    date.year().to_string().into(),
                )
            };
            let title = words.invoke_weekday_day(
                dates.invoke_weekday(date.weekday().to_monday_one_offset().into()),
                date.day().into(),
            );
            let finds = found.get(&date).copied().unwrap_or_default();
            let figure = i32::try_from(day.messages).unwrap_or(i32::MAX);
            let spoken = if finds > 0 {
                words.invoke_found(finds)
            } else {
                words.invoke_messages(figure)
            };
            DayRow {
                month: heading,
                spoken: format!("{title}, {spoken}").into(),
                title,
                count: if finds > 0 {
                    spoken
                } else {
                    figure.to_string().into()
                },
                found: finds > 0,
            }
        })
        .collect();
    let at = state.history.day.and_then(|at| i32::try_from(at).ok());
    let page = ui.global::<History>();
    page.set_days(model(rows));
    page.set_day(at.unwrap_or(-1));
}

/// Reads the newest messages of a conversation.
fn newest(pages: &Pages, conversation: ConversationId) {
    let round = next_round(pages);
    let request = Request::MessagePage {
        conversation,
        before: None,
        after: None,
        limit: PAGE,
    };
    pages.ask(request, move |pages, result| {
        if pages.state.borrow().history.round != round {
            return;
        }
        match result {
            Ok(Reply::Messages(page)) => {
                let mut state = pages.state.borrow_mut();
                state.history.messages = page.messages;
                state.history.older = page.older;
                state.history.newer = false;
                drop(state);
                show_rows(pages);
                to_end(pages);
            }
            Ok(_) => {}
            Err(error) => pages.toast(error.message.into()),
        }
    });
}

fn next_round(pages: &Pages) -> u64 {
    let mut state = pages.state.borrow_mut();
    state.history.round += 1;
    state.history.round
}

/// The newest message comes into view.
fn to_end(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<History>();
    page.set_current(page.get_length() - 1);
    page.set_reveal_asked(page.get_reveal_asked() + 1);
}

fn day(pages: &Pages, index: i32) {
    let Some((at, day, conversation)) = usize::try_from(index).ok().and_then(|at| {
        let state = pages.state.borrow();
        let day = state.history.days.get(at)?.clone();
        Some((at, day, state.history.conversation()))
    }) else {
        return;
    };
    pages.state.borrow_mut().history.day = Some(at);
    if let Some(ui) = pages.ui() {
        ui.global::<History>().set_day(index);
    }
    if let Some(conversation) = conversation {
        around(pages, conversation, day.first, true);
    } else {
        show_rows(pages);
    }
}

/// Reads what was said around a message; with `top`, from it on.
fn around(pages: &Pages, conversation: ConversationId, message: MessageId, top: bool) {
    let round = next_round(pages);
    let page = move |before, after, limit| Request::MessagePage {
        conversation,
        before,
        after,
        limit,
    };
    let ahead = if top { 1 } else { AROUND };
    pages.ask(page(Some(message), None, ahead), move |pages, result| {
        let Ok(Reply::Messages(before)) = result else {
            return;
        };
        pages.ask(Request::MessageView { message }, move |pages, result| {
            let Ok(Reply::Message(found)) = result else {
                return;
            };
            let rest = if top { PAGE } else { AROUND };
            pages.ask(page(None, Some(message), rest), move |pages, result| {
                let Ok(Reply::Messages(after)) = result else {
                    return;
                };
                if pages.state.borrow().history.round != round {
                    return;
                }
                let mut state = pages.state.borrow_mut();
                let history = &mut state.history;
                history.older = before.older || (top && !before.messages.is_empty());
                history.messages = if top { Vec::new() } else { before.messages };
                history.messages.push(found);
                history.messages.extend(after.messages);
                history.newer = after.newer;
                drop(state);
                show_rows(pages);
                if top {
                    let Some(ui) = pages.ui() else { return };
                    let page = ui.global::<History>();
                    page.set_current(-1);
                    page.set_top_asked(page.get_top_asked() + 1);
                } else {
                    reveal(pages, message);
                }
            });
        });
    });
}

fn reveal(pages: &Pages, message: MessageId) {
    let Some(ui) = pages.ui() else { return };
    let row = pages
        .state
        .borrow()
        .history
        .rows
        .iter()
        .position(|row| *row == Some(message))
        .and_then(|at| i32::try_from(at).ok());
    if let Some(row) = row {
        let page = ui.global::<History>();
        page.set_current(row);
        page.set_reveal_asked(page.get_reveal_asked() + 1);
    }
}

fn page_on(pages: &Pages, older: bool) {
    let (conversation, edge, round) = {
        let state = pages.state.borrow();
        let history = &state.history;
        let edge = if older {
            history.messages.first()
        } else {
            history.messages.last()
        };
        let Some((conversation, edge)) = history.conversation().zip(edge.map(|m| m.id)) else {
            return;
        };
        (conversation, edge, history.round)
    };
    let Some(ui) = pages.ui() else { return };
    ui.global::<History>().set_loading(true);
    let request = Request::MessagePage {
        conversation,
        before: older.then_some(edge),
        after: (!older).then_some(edge),
        limit: PAGE,
    };
    pages.ask(request, move |pages, result| {
        if let Some(ui) = pages.ui() {
            ui.global::<History>().set_loading(false);
        }
        let Ok(Reply::Messages(page)) = result else {
            return;
        };
        if pages.state.borrow().history.round != round {
            return;
        }
        let mut state = pages.state.borrow_mut();
        let history = &mut state.history;
        if older {
            history.older = page.older;
            let mut messages = page.messages;
            messages.append(&mut history.messages);
            history.messages = messages;
        } else {
            history.newer = page.newer;
            history.messages.extend(page.messages);
        }
        drop(state);
        show_rows(pages);
        if older {
            // What was being read stays in view.
            reveal(pages, edge);
        }
    });
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
    reload(pages);
    let query = pages
        .ui()
        .map(|ui| ui.global::<History>().get_query())
        .unwrap_or_default();
    search(pages, &query);
}

fn search(pages: &Pages, query: &str) {
    let query = query.trim().to_owned();
    if query.is_empty() {
        let mut state = pages.state.borrow_mut();
        state.history.finds.clear();
        state.history.find = 0;
        drop(state);
        show_place(pages);
        show_days(pages);
        show_rows(pages);
        return;
    }
    let round = next_round(pages);
    let conversation = pages.state.borrow().history.conversation();
    let request = Request::Search {
        query,
        conversation,
        before: None,
        limit: FINDS,
    };
    pages.ask(request, move |pages, result| {
        if pages.state.borrow().history.round != round {
            return;
        }
        match result {
            Ok(Reply::Found(page)) => {
                let mut state = pages.state.borrow_mut();
                state.history.finds = page.hits;
                state.history.more_finds = page.more;
                state.history.find = 0;
                drop(state);
                show_place(pages);
                show_days(pages);
                open_find(pages);
            }
            Ok(_) => {}
            Err(error) => pages.toast(error.message.into()),
        }
    });
}

/// *2 of 6*.
fn show_place(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    let state = pages.state.borrow();
    let history = &state.history;
    let figure = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    let text = if ui.global::<History>().get_query().trim().is_empty() {
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

fn step(pages: &Pages, forward: bool) {
    {
        let mut state = pages.state.borrow_mut();
        let history = &mut state.history;
        let count = history.finds.len();
        if count == 0 {
            return;
        }
        history.find = if forward {
            (history.find + 1) % count
        } else {
            (history.find + count - 1) % count
        };
    }
    show_place(pages);
    open_find(pages);
}

/// Shows the find that is open, where it was said.
fn open_find(pages: &Pages) {
    let (conversation, find) = {
        let state = pages.state.borrow();
        let history = &state.history;
        let find = history.finds.get(history.find).map(|find| find.message.id);
        (history.conversation(), find)
    };
    match (conversation, find) {
        (Some(conversation), Some(message)) => around(pages, conversation, message, false),
        (None, Some(message)) => {
            show_rows(pages);
            reveal(pages, message);
        }
        (_, None) => show_rows(pages),
    }
}

/// Makes the lines: of one conversation what was said, of all what was found.
fn show_rows(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<History>();
    let words = ui.global::<PageWords>();
    let (rows, places) = {
        let state = pages.state.borrow();
        let history = &state.history;
        let finds: HashMap<MessageId, &SearchHit> = history
            .finds
            .iter()
            .map(|find| (find.message.id, find))
            .collect();
        if history.all {
            let said = history
                .finds
                .iter()
                .map(|find| (&find.message, Some(find.conversation_name.as_str())));
            lines(&ui, said, &finds)
        } else {
            let said = history.messages.iter().map(|message| (message, None));
            lines(&ui, said, &finds)
        }
    };
    let count = i32::try_from(rows.len()).unwrap_or(i32::MAX);
    page.set_rows(model(rows));
    page.set_length(count);
    page.set_current(-1);
    let mut state = pages.state.borrow_mut();
    state.history.rows = places;
    let history = &state.history;
    page.set_older(history.older && !history.all);
    page.set_newer(history.newer && !history.all);
    let searched = !page.get_query().trim().is_empty();
    page.set_nothing(if searched {
        words.get_nothing_found()
    } else if history.all {
        match history.day.and_then(|at| history.days.get(at)) {
            Some(day) => words.invoke_day_of_all(i32::try_from(day.messages).unwrap_or(i32::MAX)),
            None => words.get_find_in_all(),
        }
    } else {
        words.get_nothing_kept()
    });
}

fn lines<'a>(
    ui: &AppWindow,
    messages: impl Iterator<Item = (&'a MessageView, Option<&'a str>)>,
    finds: &HashMap<MessageId, &SearchHit>,
) -> (Vec<HistoryRow>, Vec<Option<MessageId>>) {
    let wording = WindowWords::of(ui);
    let you = ui.global::<PageWords>().get_you();
    let zone = TimeZone::system();
    let mut rows = Vec::new();
    let mut places = Vec::new();
    let mut last = None;
    for (message, conversation) in messages {
        let day = day_of(message.at, &zone);
        if last != Some(day) {
            last = Some(day);
            let text = wording.full_day(day);
            rows.push(HistoryRow {
                day: true,
                spoken: text.as_str().into(),
                text: text.into(),
                ..HistoryRow::default()
            });
            places.push(None);
        }
        let who: SharedString = match (message.kind, message.direction) {
            (MessageKind::System, _) => SharedString::default(),
            (_, Direction::Outgoing) => you.clone(),
            (_, Direction::Incoming) => first_name(&message.author).into(),
        };
        let who = match conversation {
            Some(name) => isolate(&one_line(name)).into(),
            None => who,
        };
        let find = finds.get(&message.id);
        rows.push(HistoryRow {
            day: false,
            who,
            text: message.body.as_str().into(),
            styled: find.map_or_else(StyledText::default, |find| {
                StyledText::from_markdown(&marked(&message.body, &find.highlights))
                    .unwrap_or_else(|_| StyledText::from_plain_text(&message.body))
            }),
            right_to_left: right_to_left(&message.body),
            time: crate::model::clock(message.at, &zone).into(),
            found: find.is_some(),
            spoken: message.spoken.as_str().into(),
        });
        places.push(Some(message.id));
    }
    (rows, places)
}

fn at(pages: &Pages, index: i32) -> Option<MessageId> {
    let at = usize::try_from(index).ok()?;
    pages.state.borrow().history.rows.get(at).copied()?
}

/// A line was chosen: among the finds of all it leads to its conversation.
fn picked(pages: &Pages, index: i32) {
    let Some(message) = at(pages, index) else {
        return;
    };
    let all = pages.state.borrow().history.all;
    if all {
        let found = pages
            .state
            .borrow()
            .history
            .finds
            .iter()
            .find(|find| find.message.id == message)
            .map(|find| find.message.conversation);
        if let Some(conversation) = found {
            leave(pages);
            crate::shell::open_message(conversation, message);
        }
    } else if let Some(ui) = pages.ui() {
        ui.global::<History>().set_current(index);
    }
}

fn menu(pages: &Pages, index: i32, x: f32, y: f32) {
    let (Some(message), Some(ui)) = (at(pages, index), pages.ui()) else {
        return;
    };
    pages.state.borrow_mut().history.menu = Some(message);
    ui.global::<History>().set_current(index);
    let items = ui.global::<MenuEntries>().get_history_message();
    ui.global::<Menus>().invoke_show(items, x, y);
}

fn erase_menu(pages: &Pages, x: f32, y: f32) {
    let Some(ui) = pages.ui() else { return };
    let items = ui.global::<MenuEntries>().get_history_erase();
    ui.global::<Menus>().invoke_show(items, x, y);
}

/// What a menu of the page asks for; whether it was one of its own.
pub(super) fn act(pages: &Pages, name: &str) -> bool {
    match name {
        "history-copy" => {
            let text = {
                let state = pages.state.borrow();
                let history = &state.history;
                history
                    .messages
                    .iter()
                    .chain(history.finds.iter().map(|find| &find.message))
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
pub(super) fn ask_erase(pages: &Pages, what: EraseScope) {
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

fn save(pages: &Pages) {
    let Some(conversation) = pages.state.borrow().history.conversation() else {
        return;
    };
    files::ask_save_history(pages, conversation);
}
