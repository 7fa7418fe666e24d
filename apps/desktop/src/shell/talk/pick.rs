//! Messages chosen by the person: their menu, and copying.

use std::rc::Rc;

use sotto_api::MessageId;
use sotto_api::view::{Delivery, Direction};

use super::{State, show};
use crate::model::copy_text;
use crate::shell::Shell;
use crate::ui;

pub(super) fn menu(shell: &Rc<Shell>, index: i32, x: f32, y: f32) {
    let Some(id) = shell.talk.message_at(index) else {
        return;
    };
    let Some(message) = shell.talk.message(id) else {
        return;
    };
    shell.talk.menu_message.set(Some(id));
    shell.part::<ui::Talk>().set_current(index);
    let entries = shell.part::<ui::MenuEntries>();
    let correctable = shell.talk.view().and_then(|view| view.correctable);
    let items = match message.delivery {
        Some(Delivery::Failed) => entries.get_message_failed(),
        Some(Delivery::Waiting) => entries.get_message_waiting(),
        _ if !message.links.is_empty() => entries.get_message_link(),
        _ if message.direction == Direction::Outgoing && correctable == Some(id) => {
            entries.get_message_last()
        }
        _ => entries.get_message(),
    };
    shell.part::<ui::Menus>().invoke_show(items, x, y);
}

/// Selects messages for copying: one more, or all up to here.
pub(in crate::shell) fn pick(shell: &Rc<Shell>, index: i32, extend: bool, add: bool) {
    let Some(id) = shell.talk.message_at(index) else {
        return;
    };
    {
        let mut state = shell.talk.state.borrow_mut();
        let place = |state: &State, id| state.messages.iter().position(|message| message.id == id);
        match (extend, state.anchor) {
            (true, Some(anchor)) => {
                if let (Some(a), Some(b)) = (place(&state, anchor), place(&state, id)) {
                    let range: Vec<MessageId> = state.messages[a.min(b)..=a.max(b)]
                        .iter()
                        .map(|message| message.id)
                        .collect();
                    state.selected = range.into_iter().collect();
                }
            }
            _ => {
                if !add {
                    state.selected.clear();
                }
                if !state.selected.remove(&id) {
                    state.selected.insert(id);
                }
                state.anchor = Some(id);
            }
        }
    }
    show(shell);
}

/// Puts the selected messages on the clipboard.
pub(in crate::shell) fn copy_selected(shell: &Rc<Shell>) {
    let text = {
        let state = shell.talk.state.borrow();
        copy_text(&state.messages, &state.selected, &shell.zone)
    };
    if !text.is_empty() {
        shell.part::<ui::App>().invoke_copy(text.into());
        let copied = shell.part::<ui::Words>().get_copied();
        shell.toast(&copied);
        shell.talk.state.borrow_mut().selected.clear();
        show(shell);
    }
}
