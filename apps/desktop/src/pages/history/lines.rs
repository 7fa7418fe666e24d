//! The lines: of one conversation what was said, of all a day or what was found.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use slint::{Color, ComponentHandle, SharedString, StyledText};
use sotto_api::MessageId;
use sotto_api::view::{Direction, MessageKind, MessageView, SearchHit};

use super::{find, first_name, read};
use crate::model::{clock, day_of, isolate, marked, one_line, right_to_left};
use crate::pages::{Pages, model};
use crate::shell::WindowWords;
use crate::{AppWindow, History, HistoryRow, PageWords, Tokens};

/// Makes the lines anew; none is marked.
pub(super) fn show(pages: &Pages) {
    fill(pages);
    if let Some(ui) = pages.ui() {
        ui.global::<History>().set_current(-1);
    }
}

/// Makes the lines anew; the keyboard stays near where it was.
pub(super) fn show_near(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<History>();
    let before = page.get_current();
    fill(pages);
    page.set_current(before.min(page.get_length() - 1));
}

fn fill(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<History>();
    let words = ui.global::<PageWords>();
    let searched = find::is_searched(pages);
    let (rows, places) = {
        let state = pages.state.borrow();
        let history = &state.history;
        let finds: HashMap<MessageId, &SearchHit> = history
            .finds
            .iter()
            .map(|find| (find.message.id, find))
            .collect();
        if history.all {
            let lines = if searched {
                &history.finds
            } else {
                &history.said
            };
            let said = lines
                .iter()
                .map(|line| (&line.message, Some(line.conversation_name.as_str())));
            rows(&ui, said, &finds)
        } else {
            let said = history.messages.iter().map(|message| (message, None));
            rows(&ui, said, &finds)
        }
    };
    let count = i32::try_from(rows.len()).unwrap_or(i32::MAX);
    page.set_rows(model(rows));
    page.set_length(count);
    page.set_marked(false);
    let mut state = pages.state.borrow_mut();
    state.history.rows = places;
    let history = &state.history;
    page.set_older(history.older && !history.all);
    page.set_newer(if history.all && searched {
        history.more_finds
    } else {
        history.newer
    });
    page.set_nothing(if searched {
        words.get_nothing_found()
    } else if history.all {
        words.get_find_in_all()
    } else {
        words.get_nothing_kept()
    });
}

/// The rows of messages, each with the name of its conversation where there are several, and what stands in each.
fn rows<'a>(
    ui: &AppWindow,
    messages: impl Iterator<Item = (&'a MessageView, Option<&'a str>)>,
    finds: &HashMap<MessageId, &SearchHit>,
) -> (Vec<HistoryRow>, Vec<Option<MessageId>>) {
    let wording = WindowWords::of(ui);
    let words = ui.global::<PageWords>();
    let highlight = hex(ui.global::<Tokens>().get_ochre());
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
        let name = conversation.map(|name| SharedString::from(isolate(&one_line(name))));
        let who = match (message.kind, message.direction, name) {
            (MessageKind::System, _, name) => name.unwrap_or_default(),
            (_, Direction::Outgoing, Some(name)) => words.invoke_you_to(name),
            (_, Direction::Outgoing, None) => words.get_you(),
            (_, Direction::Incoming, Some(name)) => name,
            (_, Direction::Incoming, None) => first_name(&message.author).into(),
        };
        let time = SharedString::from(clock(message.at, &zone));
        let find = finds.get(&message.id);
        rows.push(HistoryRow {
            day: false,
            text: message.body.as_str().into(),
            styled: find.map_or_else(StyledText::default, |find| {
                let text = marked(&message.body, &find.highlights, &highlight);
                StyledText::from_markdown(&text)
                    .unwrap_or_else(|_| StyledText::from_plain_text(&message.body))
            }),
            right_to_left: right_to_left(&message.body),
            found: find.is_some(),
            spoken: words.invoke_spoken_line(
                who.clone(),
                message.body.as_str().into(),
                time.clone(),
            ),
            who,
            time,
        });
        places.push(Some(message.id));
    }
    (rows, places)
}

/// A colour as Markdown's `font` names it.
fn hex(colour: Color) -> String {
    format!(
        "#{:02x}{:02x}{:02x}",
        colour.red(),
        colour.green(),
        colour.blue()
    )
}

/// What stands in a row; nothing in that of a day.
pub(super) fn at(pages: &Pages, index: i32) -> Option<MessageId> {
    let at = usize::try_from(index).ok()?;
    pages.state.borrow().history.rows.get(at).copied()?
}

/// The newest line comes into view.
pub(super) fn to_end(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<History>();
    page.set_current(page.get_length() - 1);
    page.set_reveal_asked(page.get_reveal_asked() + 1);
}

/// The first line comes into view.
pub(super) fn to_top(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<History>();
    page.set_current(-1);
    page.set_top_asked(page.get_top_asked() + 1);
}

/// A message comes into view; a marked one bears a ring.
pub(super) fn reveal(pages: &Pages, message: MessageId, marked: bool) {
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
        page.set_marked(marked);
        page.set_reveal_asked(page.get_reveal_asked() + 1);
    }
}

/// A line was chosen with the pointer: it is in view.
pub(super) fn mark(pages: &Pages, index: i32) {
    if let Some(ui) = pages.ui() {
        let page = ui.global::<History>();
        page.set_current(index);
        page.set_marked(true);
    }
}

/// The keyboard goes so many messages on, or back; at an edge, more is read.
pub(super) fn go(pages: &Pages, by: i32) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<History>();
    let to = {
        let state = pages.state.borrow();
        step(&state.history.rows, page.get_current(), by)
    };
    match to {
        Some(to) if to != page.get_current() || !page.get_marked() => {
            page.set_current(to);
            page.set_marked(true);
            page.set_reveal_asked(page.get_reveal_asked() + 1);
        }
        _ if by < 0 && page.get_older() => read::page_on(pages, true),
        _ if by > 0 && page.get_newer() => read::page_on(pages, false),
        _ => {}
    }
}

/// The line that bears the ring.
pub(super) fn marked_line(pages: &Pages) -> Option<MessageId> {
    let ui = pages.ui()?;
    let page = ui.global::<History>();
    at(pages, page.get_current()).filter(|_| page.get_marked())
}

/// The keyboard goes from a message to the next one, or to the one before where there is no next.
pub(super) fn step_off(pages: &Pages, message: MessageId) {
    if marked_line(pages) != Some(message) {
        return;
    }
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<History>();
    let current = page.get_current();
    let state = pages.state.borrow();
    let rows = &state.history.rows;
    let beside = [1, -1]
        .into_iter()
        .filter_map(|by| step(rows, current, by))
        .find(|to| *to != current);
    if let Some(beside) = beside {
        page.set_current(beside);
    }
}

/// The row `by` messages from `from`, or as far as there are any; days are passed over. From nowhere it begins before
/// the first row, or behind the last when going back.
fn step(rows: &[Option<MessageId>], from: i32, by: i32) -> Option<i32> {
    let messages: Vec<usize> = (0..rows.len())
        .filter(|at| rows.get(*at).is_some_and(Option::is_some))
        .collect();
    let last = messages.len().checked_sub(1)?;
    let here = usize::try_from(from)
        .ok()
        .and_then(|from| messages.iter().position(|at| *at == from));
    let by = isize::try_from(by).unwrap_or_default();
    let to = match here {
        Some(here) => here.saturating_add_signed(by).min(last),
        // One step on from nowhere is the first, one step back the last.
        None if by < 0 => last.saturating_add_signed(by + 1),
        None => 0_usize.saturating_add_signed(by - 1).min(last),
    };
    messages.get(to).and_then(|at| i32::try_from(*at).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keyboard_passes_over_the_names_of_days() {
        let message = |id| Some(MessageId(id));
        let rows = [None, message(1), message(2), None, message(3)];
        assert_eq!(step(&rows, -1, 1), Some(1));
        assert_eq!(step(&rows, -1, -1), Some(4));
        assert_eq!(step(&rows, -1, 1_000_000), Some(4));
        assert_eq!(step(&rows, -1, -1_000_000), Some(1));
        assert_eq!(step(&rows, 2, 1), Some(4));
        assert_eq!(step(&rows, 4, -1), Some(2));
        assert_eq!(step(&rows, 4, 1), Some(4));
        assert_eq!(step(&rows, 1, -10), Some(1));
        assert_eq!(step(&rows, 1, 10), Some(4));
        assert_eq!(step(&[None], -1, 1), None);
        assert_eq!(step(&[], 3, 1), None);
    }
}
