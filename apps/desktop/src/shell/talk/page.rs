//! Messages of the open conversation: read in pages, added, changed, removed.

use std::collections::HashSet;
use std::rc::Rc;

use slint::ComponentHandle;
use sotto_api::view::MessageView;
use sotto_api::{ConversationId, MessageId, Reply, Request};

use super::{PAGE, show};
use crate::model::TalkLine;
use crate::shell::Shell;
use crate::ui;

pub(super) fn load_newest(shell: &Rc<Shell>, conversation: ConversationId, round: u64, limit: u32) {
    shell.ask(
        Request::MessagePage {
            conversation,
            before: None,
            after: None,
            limit,
        },
        move |shell, answer| {
            if let Ok(Reply::Messages(page)) = answer
                && shell.talk.round.get() == round
            {
                {
                    let mut state = shell.talk.state.borrow_mut();
                    state.messages = page.messages;
                    state.older = page.older;
                    state.newer = false;
                    state.loading = false;
                }
                show(shell);
                to_bottom(shell);
                read(shell);
            }
        },
    );
}

pub(super) fn load_around(
    shell: &Rc<Shell>,
    conversation: ConversationId,
    round: u64,
    message: MessageId,
) {
    shell.ask(
        Request::MessagePage {
            conversation,
            before: Some(message),
            after: None,
            limit: PAGE / 2,
        },
        move |shell, answer| {
            let Ok(Reply::Messages(before)) = answer else {
                return;
            };
            shell.ask(Request::MessageView { message }, move |shell, answer| {
                let Ok(Reply::Message(found)) = answer else {
                    return;
                };
                shell.ask(
                    Request::MessagePage {
                        conversation,
                        before: None,
                        after: Some(message),
                        limit: PAGE / 2,
                    },
                    move |shell, answer| {
                        let Ok(Reply::Messages(after)) = answer else {
                            return;
                        };
                        if shell.talk.round.get() != round {
                            return;
                        }
                        {
                            let mut state = shell.talk.state.borrow_mut();
                            state.messages = before.messages;
                            state.messages.push(found);
                            state.messages.extend(after.messages);
                            state.older = before.older;
                            state.newer = after.newer;
                            state.loading = false;
                            state.selected = HashSet::from([message]);
                        }
                        show(shell);
                        reveal(shell, message);
                    },
                );
            });
        },
    );
}

pub(super) fn reveal(shell: &Rc<Shell>, message: MessageId) {
    let place = shell.talk.rows.with(|rows| {
        rows.iter()
            .position(|line| matches!(line, TalkLine::Message(bubble) if bubble.id == message))
    });
    if let Some(place) = place.and_then(|at| i32::try_from(at).ok()) {
        let talk = shell.part::<ui::Talk>();
        talk.set_current(place);
        talk.set_reveal_asked(talk.get_reveal_asked() + 1);
    }
}

pub(super) fn to_bottom(shell: &Rc<Shell>) {
    let talk = shell.part::<ui::Talk>();
    talk.set_bottom_asked(talk.get_bottom_asked() + 1);
}

pub(super) fn to_newest(shell: &Rc<Shell>) {
    let (id, newer) = {
        let state = shell.talk.state.borrow();
        (state.view.as_ref().map(|view| view.id), state.newer)
    };
    match id {
        Some(id) if newer => load_newest(shell, id, shell.talk.round.get(), PAGE),
        _ => to_bottom(shell),
    }
}

/// Tells the engine that the person has the open conversation before their eyes.
pub(in crate::shell) fn read(shell: &Rc<Shell>) {
    let unread = shell
        .talk
        .view()
        .filter(|view| view.unread > 0)
        .map(|view| view.id);
    if let Some(conversation) = unread
        && shell.window.window().is_visible()
        && shell.part::<ui::App>().get_seen()
    {
        shell.tell(Request::ConversationRead { conversation });
    }
}

pub(super) fn page_older(shell: &Rc<Shell>) {
    let nothing_yet = {
        let state = shell.talk.state.borrow();
        state
            .view
            .as_ref()
            .filter(|_| state.messages.is_empty() && state.older && !state.loading)
            .map(|view| view.id)
    };
    if let Some(conversation) = nothing_yet {
        return load_newest(shell, conversation, shell.talk.round.get(), PAGE);
    }
    let asked = {
        let mut state = shell.talk.state.borrow_mut();
        match (&state.view, state.messages.first()) {
            (Some(view), Some(first)) if state.older && !state.loading => {
                let asked = (view.id, first.id);
                state.loading = true;
                Some(asked)
            }
            _ => None,
        }
    };
    let Some((conversation, first)) = asked else {
        return;
    };
    let round = shell.talk.round.get();
    shell.ask(
        Request::MessagePage {
            conversation,
            before: Some(first),
            after: None,
            limit: PAGE,
        },
        move |shell, answer| {
            if shell.talk.round.get() != round {
                return;
            }
            {
                let mut state = shell.talk.state.borrow_mut();
                state.loading = false;
                let Ok(Reply::Messages(page)) = answer else {
                    return;
                };
                state.older = page.older;
                let mut messages = page.messages;
                messages.append(&mut state.messages);
                state.messages = messages;
            }
            shell.part::<ui::Talk>().set_keep_end(true);
            show(shell);
        },
    );
}

pub(super) fn page_newer(shell: &Rc<Shell>) {
    let asked = {
        let mut state = shell.talk.state.borrow_mut();
        match (&state.view, state.messages.last()) {
            (Some(view), Some(last)) if state.newer && !state.loading => {
                let asked = (view.id, last.id);
                state.loading = true;
                Some(asked)
            }
            _ => None,
        }
    };
    if let Some((conversation, last)) = asked {
        append(shell, conversation, last, false);
    }
}

/// Reads what came after `last`.
pub(super) fn append(
    shell: &Rc<Shell>,
    conversation: ConversationId,
    last: MessageId,
    follow: bool,
) {
    let round = shell.talk.round.get();
    shell.ask(
        Request::MessagePage {
            conversation,
            before: None,
            after: Some(last),
            limit: 200,
        },
        move |shell, answer| {
            let Ok(Reply::Messages(page)) = answer else {
                return;
            };
            if shell.talk.round.get() != round {
                return;
            }
            let (changed, reload) = {
                let mut state = shell.talk.state.borrow_mut();
                state.loading = false;
                if state.messages.last().map(|message| message.id) != Some(last) {
                    // Another answer was quicker.
                    (false, false)
                } else if page.messages.is_empty() {
                    // They were put elsewhere than at the end: read all of it anew.
                    (false, follow)
                } else {
                    state.newer = page.newer;
                    state.messages.extend(page.messages);
                    (true, false)
                }
            };
            if reload {
                let limit = u32::try_from(shell.talk.state.borrow().messages.len()).unwrap_or(PAGE);
                load_newest(shell, conversation, round, limit.clamp(PAGE, 500));
            }
            if changed {
                let bottom = shell.part::<ui::Talk>().get_at_bottom();
                show(shell);
                if follow && bottom {
                    to_bottom(shell);
                    read(shell);
                }
            }
        },
    );
}

pub(in crate::shell) fn messages_added(shell: &Rc<Shell>, conversation: ConversationId) {
    if shell.talk.conversation() != Some(conversation) {
        return;
    }
    let last = {
        let state = shell.talk.state.borrow();
        if state.newer || (state.loading && state.messages.is_empty()) {
            return;
        }
        state.messages.last().map(|message| message.id)
    };
    match last {
        Some(last) => append(shell, conversation, last, true),
        None => load_newest(
            shell,
            conversation,
            shell.talk.round.get(),
            super::first_page(shell, 1),
        ),
    }
}

pub(in crate::shell) fn message_changed(
    shell: &Rc<Shell>,
    conversation: ConversationId,
    message: MessageId,
) {
    if shell.talk.conversation() != Some(conversation) {
        return;
    }
    shell.ask(Request::MessageView { message }, |shell, answer| {
        if let Ok(Reply::Message(view)) = answer {
            put_message(shell, view);
        }
    });
}

pub(super) fn put_message(shell: &Rc<Shell>, view: MessageView) {
    let found = {
        let mut state = shell.talk.state.borrow_mut();
        match state
            .messages
            .iter_mut()
            .find(|message| message.id == view.id)
        {
            Some(message) => {
                *message = view;
                true
            }
            None => false,
        }
    };
    if found {
        let bottom = shell.part::<ui::Talk>().get_at_bottom();
        show(shell);
        if bottom {
            to_bottom(shell);
        }
    }
}

pub(in crate::shell) fn message_removed(
    shell: &Rc<Shell>,
    conversation: ConversationId,
    message: MessageId,
) {
    if shell.talk.conversation() == Some(conversation) {
        shell
            .talk
            .state
            .borrow_mut()
            .messages
            .retain(|known| known.id != message);
        show(shell);
    }
}
