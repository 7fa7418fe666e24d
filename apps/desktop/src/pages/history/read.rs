//! Reading what was said in one conversation: its end, around a message, on and back.

use slint::ComponentHandle;
use sotto_api::{ConversationId, MessageId, Reply, Request};

use super::{days, find, lines, next_round};
use crate::History;
use crate::pages::Pages;

/// Messages that are read at once.
const PAGE: u32 = 100;
/// Messages around a find.
const AROUND: u32 = 30;

/// Reads the newest messages of a conversation.
pub(super) fn newest(pages: &Pages, conversation: ConversationId) {
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
                lines::show(pages);
                lines::to_end(pages);
            }
            Ok(_) => {}
            Err(error) => pages.toast(error.message.into()),
        }
    });
}

/// Reads what is still there around the marked line, or the newest messages.
pub(super) fn again(pages: &Pages, conversation: ConversationId) {
    match lines::marked_line(pages) {
        Some(message) => around(pages, conversation, message, false),
        None => newest(pages, conversation),
    }
}

/// Reads what was said around a message, or the newest messages where it is gone; with `top`, from it on.
pub(super) fn around(pages: &Pages, conversation: ConversationId, message: MessageId, top: bool) {
    let round = next_round(pages);
    let page = move |before, after, limit| Request::MessagePage {
        conversation,
        before,
        after,
        limit,
    };
    let otherwise = move |pages: &Pages| {
        if pages.state.borrow().history.round == round {
            newest(pages, conversation);
        }
    };
    let ahead = if top { 1 } else { AROUND };
    pages.ask(page(Some(message), None, ahead), move |pages, result| {
        let Ok(Reply::Messages(before)) = result else {
            return otherwise(pages);
        };
        pages.ask(Request::MessageView { message }, move |pages, result| {
            let Ok(Reply::Message(found)) = result else {
                return otherwise(pages);
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
                lines::show(pages);
                if top {
                    lines::to_top(pages);
                } else {
                    lines::reveal(pages, message, true);
                }
            });
        });
    });
}

/// Reads on, or back: of one conversation what was said, of all the chosen day or what was found.
pub(super) fn page_on(pages: &Pages, older: bool) {
    if pages.state.borrow().history.all {
        return if find::is_searched(pages) {
            find::more(pages, false);
        } else {
            days::said_on(pages);
        };
    }
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
        lines::show(pages);
        if older {
            // What was being read stays in view.
            lines::reveal(pages, edge, false);
        }
    });
}
