//! The field: drafts, typing notes, sending, correcting.

use std::rc::Rc;

use slint::TimerMode;
use sotto_api::view::{AlertKind, ConversationView, Delivery, MessageView};
use sotto_api::{ErrorKind, Reply, Request};

use super::{DRAFT_DELAY, TYPING_PAUSE, messages_added, private, put_message, to_newest};
use crate::shell::{Shell, with_shell};
use crate::ui;

/// Puts a text into the field.
pub(super) fn set_field(shell: &Rc<Shell>, text: &str) {
    shell.talk.state.borrow_mut().field = text.to_owned();
    let talk = shell.part::<ui::Talk>();
    talk.set_draft(text.into());
    talk.set_draft_asked(talk.get_draft_asked() + 1);
}

pub(super) fn edited(shell: &Rc<Shell>, text: &str) {
    let started = {
        let mut state = shell.talk.state.borrow_mut();
        state.field = text.to_owned();
        let started = !state.typing && !text.is_empty();
        state.typing = !text.is_empty();
        started
    };
    if let Some(conversation) = shell.talk.conversation() {
        if text.is_empty() {
            shell.talk.typing_timer.stop();
            shell.tell(Request::Typing {
                conversation,
                active: false,
            });
        } else {
            if started {
                shell.tell(Request::Typing {
                    conversation,
                    active: true,
                });
            }
            shell
                .talk
                .typing_timer
                .start(TimerMode::SingleShot, TYPING_PAUSE, || {
                    with_shell(stop_typing)
                });
        }
    }
    shell
        .talk
        .draft_timer
        .start(TimerMode::SingleShot, DRAFT_DELAY, || {
            with_shell(keep_draft)
        });
}

pub(super) fn stop_typing(shell: &Rc<Shell>) {
    shell.talk.typing_timer.stop();
    let was = std::mem::take(&mut shell.talk.state.borrow_mut().typing);
    if let Some(conversation) = shell.talk.conversation().filter(|_| was) {
        shell.tell(Request::Typing {
            conversation,
            active: false,
        });
    }
}

/// Hands the draft to the store, if it has changed.
pub(in crate::shell) fn keep_draft(shell: &Rc<Shell>) {
    shell.talk.draft_timer.stop();
    let draft = {
        let mut state = shell.talk.state.borrow_mut();
        // A correction is no draft of a new message.
        let text = match &state.correcting {
            Some((_, before)) => before.clone(),
            None => state.field.clone(),
        };
        if text == state.kept {
            None
        } else {
            state.kept.clone_from(&text);
            Some(text)
        }
    };
    if let (Some(body), Some(conversation)) = (draft, shell.talk.conversation()) {
        shell.tell(Request::DraftSet { conversation, body });
    }
}

pub(super) fn send(shell: &Rc<Shell>, text: &str) {
    let body = text.trim_matches(['\n', '\r']).to_owned();
    if body.trim().is_empty() {
        return;
    }
    let Some(conversation) = shell.talk.conversation() else {
        return;
    };
    let correcting = shell.talk.state.borrow_mut().correcting.take();
    let request = match &correcting {
        Some((message, _)) => Request::MessageCorrect {
            message: *message,
            body,
        },
        None => Request::MessageSend { conversation, body },
    };
    shell.talk.draft_timer.stop();
    shell.talk.typing_timer.stop();
    {
        let mut state = shell.talk.state.borrow_mut();
        state.typing = false;
        if correcting.is_none() {
            // The engine forgets the draft with the message; nothing is left to keep.
            state.kept.clear();
        }
    }
    shell.part::<ui::Talk>().set_correcting(false);
    set_field(shell, correcting.as_ref().map_or("", |(_, before)| before));
    let typed = text.to_owned();
    shell.ask(request, move |shell, answer| match answer {
        Ok(Reply::Message(view)) => {
            if shell.talk.conversation() == Some(conversation) {
                shell.talk.state.borrow_mut().waits =
                    (view.delivery == Some(Delivery::Waiting)).then(|| typed.clone());
            }
            if shell.talk.message(view.id).is_some() {
                put_message(shell, view);
            } else {
                messages_added(shell, conversation);
                to_newest(shell);
            }
        }
        Ok(_) => {}
        Err(error) => {
            // What could not go is not lost.
            if shell.talk.conversation() == Some(conversation)
                && shell.talk.state.borrow().field.is_empty()
            {
                set_field(shell, &typed);
            }
            if error.kind == ErrorKind::NotPrivate {
                private::refused(shell, conversation, error.message);
            } else {
                shell.toast(&error.message);
            }
        }
    });
    // The engine forgets the draft with a new message; one that waits for its private conversation it keeps as draft.
    if let Some((_, body)) = correcting {
        shell.tell(Request::DraftSet { conversation, body });
    }
}

/// Puts my last message into the field, to be corrected.
pub(in crate::shell) fn correct_last(shell: &Rc<Shell>) {
    let Some(message) = shell.talk.view().and_then(|view| view.correctable) else {
        let words = shell.part::<ui::Words>().get_nothing_to_correct();
        shell.toast(&words);
        return;
    };
    shell.ask(Request::MessageView { message }, |shell, answer| {
        if let Ok(Reply::Message(view)) = answer
            && shell.talk.conversation() == Some(view.conversation)
        {
            {
                let mut state = shell.talk.state.borrow_mut();
                let before = match state.correcting.take() {
                    Some((_, before)) => before,
                    None => state.field.clone(),
                };
                state.correcting = Some((view.id, before));
            }
            shell.part::<ui::Talk>().set_correcting(true);
            let body = if view.kind == sotto_api::view::MessageKind::Action {
                // The view says *Sara waves*; what was typed said /me.
                view.body
                    .strip_prefix(view.author.as_str())
                    .map_or_else(|| view.body.clone(), |rest| format!("/me{rest}"))
            } else {
                view.body.clone()
            };
            set_field(shell, &body);
            shell.part::<ui::App>().invoke_focus_pane(2);
        }
    });
}

pub(in crate::shell) fn correct_cancel(shell: &Rc<Shell>) {
    let before = shell.talk.state.borrow_mut().correcting.take();
    if let Some((_, before)) = before {
        shell.part::<ui::Talk>().set_correcting(false);
        set_field(shell, &before);
    }
}

/// A message that was not sent goes back into the field, before what stands there.
pub(in crate::shell) fn take_back(shell: &Rc<Shell>, view: &MessageView) {
    if shell.talk.conversation() != Some(view.conversation) {
        return;
    }
    let field = shell.talk.state.borrow().field.clone();
    let text = if field.trim().is_empty() {
        view.body.clone()
    } else {
        format!("{}\n{field}", view.body)
    };
    set_field(shell, &text);
    edited(shell, &text);
    shell.part::<ui::App>().invoke_focus_pane(2);
}

/// A message that waited for a private conversation, and came back because there is none: its text stands in the
/// field again, before what was typed meanwhile.
pub(super) fn take_waiting(shell: &Rc<Shell>, view: &ConversationView) {
    let refused = view
        .private
        .alert
        .as_ref()
        .is_some_and(|alert| alert.kind == AlertKind::NotPossible);
    let waited = {
        let mut state = shell.talk.state.borrow_mut();
        match &state.waits {
            Some(text) if refused && view.draft.contains(text.trim()) => state.waits.take(),
            _ => None,
        }
    };
    let Some(text) = waited else { return };
    let field = shell.talk.state.borrow().field.clone();
    if field.contains(text.trim()) {
        return;
    }
    let text = if field.trim().is_empty() {
        view.draft.clone()
    } else {
        format!("{}\n{field}", text.trim())
    };
    shell.talk.state.borrow_mut().kept.clone_from(&view.draft);
    set_field(shell, &text);
    edited(shell, &text);
}
