//! The days on the side.

use std::collections::HashMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use slint::{ComponentHandle, SharedString};
use sotto_api::view::DayView;
use sotto_api::{Reply, Request};

use super::{find, lines, next_round, read};
use crate::model::day_of;
use crate::pages::{Pages, model};
use crate::{AppWindow, DayRow, History, PageWords, Words};

/// Days that are read at once.
const DAYS: u32 = 200;
/// Messages of a day that are read at once.
const PAGE: u32 = 100;

/// Reads the days on which something was said; with `more`, those before the last one known.
pub(super) fn read(pages: &Pages, more: bool) {
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
                let history = &mut state.history;
                if more {
                    history.days.extend(page.days);
                } else {
                    // The chosen day stays chosen, wherever it stands now.
                    let chosen = history.day.and_then(|at| history.days.get(at));
                    let chosen = chosen.map(|day| day.day.clone());
                    history.day = chosen
                        .and_then(|chosen| page.days.iter().position(|day| day.day == chosen));
                    history.days = page.days;
                }
                drop(state);
                ui.global::<History>().set_more_days(page.more);
                show(pages);
            }
            Ok(_) => {}
            Err(error) => pages.toast(error.message.into()),
        }
    });
}

/// Makes the rows of the side, with how much was found on each day.
pub(super) fn show(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
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
        .map(|day| row(&ui, day, &found, &mut month))
        .collect();
    let at = state.history.day.and_then(|at| i32::try_from(at).ok());
    let page = ui.global::<History>();
    page.set_days(model(rows));
    page.set_day(at.unwrap_or(-1));
}

/// One row; the first of a month bears its name.
fn row(
    ui: &AppWindow,
    day: &DayView,
    found: &HashMap<Date, i32>,
    month: &mut Option<(i16, i8)>,
) -> DayRow {
    let words = ui.global::<PageWords>();
    let dates = ui.global::<Words>();
    let Ok(date) = day.day.parse::<Date>() else {
        return DayRow {
            title: day.day.as_str().into(),
            ..DayRow::default()
        };
    };
    let this = (date.year(), date.month());
    let heading = if month.replace(this) == Some(this) {
        SharedString::default()
    } else {
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
}

/// A day was chosen: what was said on it comes into view.
pub(super) fn choose(pages: &Pages, index: i32) {
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
    match conversation {
        Some(conversation) => read::around(pages, conversation, day.first, true),
        None if find::open_on(pages, &day.day) => {}
        None => {
            find::empty(pages);
            said(pages, day.day, Reading::Day);
        }
    }
}

/// How much of a day is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Its beginning: the day was chosen.
    Day,
    /// Its beginning once more: something of it went. The keyboard stays near where it was.
    Again,
    /// What comes after what is known of it.
    More,
}

/// Reads what was said on a day in all conversations.
fn said(pages: &Pages, day: String, reading: Reading) {
    let round = next_round(pages);
    let last = pages
        .state
        .borrow()
        .history
        .said
        .last()
        .map(|l| l.message.id);
    let request = Request::HistoryDay {
        day,
        zone: String::new(),
        after: last.filter(|_| reading == Reading::More),
        limit: PAGE,
    };
    pages.ask(request, move |pages, result| {
        if pages.state.borrow().history.round != round {
            return;
        }
        match result {
            Ok(Reply::Found(page)) => {
                let mut state = pages.state.borrow_mut();
                let history = &mut state.history;
                if reading != Reading::More {
                    history.said.clear();
                }
                history.said.extend(page.hits);
                history.newer = page.more;
                drop(state);
                match reading {
                    Reading::Day => {
                        lines::show(pages);
                        lines::to_top(pages);
                    }
                    Reading::Again | Reading::More => lines::show_near(pages),
                }
            }
            Ok(_) => {}
            Err(error) => pages.toast(error.message.into()),
        }
    });
}

/// Reads on in the chosen day of all conversations.
pub(super) fn said_on(pages: &Pages) {
    if let Some(day) = chosen(pages) {
        said(pages, day, Reading::More);
    }
}

/// Reads the chosen day of all conversations once more; whether there is one.
pub(super) fn said_again(pages: &Pages) -> bool {
    let day = chosen(pages);
    let is_chosen = day.is_some();
    if let Some(day) = day {
        said(pages, day, Reading::Again);
    }
    is_chosen
}

fn chosen(pages: &Pages) -> Option<String> {
    let state = pages.state.borrow();
    let history = &state.history;
    let day = history.day.and_then(|at| history.days.get(at))?;
    Some(day.day.clone())
}
