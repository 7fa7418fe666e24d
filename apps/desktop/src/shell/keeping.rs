//! What is kept of the open conversation, and for how long: the dialog of the main window.

use std::rc::Rc;

use slint::{ModelRc, SharedString, VecModel};
use sotto_api::Request;
use sotto_api::view::{ConversationView, EraseScope, Expiry};

use super::{Shell, talk, with_shell};
use crate::pages::{EXPIRIES, Pages, expiry_words};
use crate::ui::{self, Sheet};

pub(super) fn wire(shell: &Rc<Shell>) {
    let part = shell.part::<ui::Keeping>();
    part.on_own_keep_chosen(|index| with_shell(|shell| keep(shell, index)));
    part.on_own_expiry_chosen(|index| with_shell(|shell| expiry(shell, index)));
    part.on_own_history(|| {
        with_shell(|shell| {
            shell.show_sheet(Sheet::None);
            shell.act("history");
        });
    });
    part.on_own_erase(|| with_shell(erase));
}

/// Opens the dialog about the open conversation.
pub(super) fn open(shell: &Rc<Shell>) {
    if let Some(view) = shell.talk.view() {
        show(shell, &view);
        shell.show_sheet(Sheet::Keeping);
    }
}

/// Shows what is in force.
pub(super) fn show(shell: &Rc<Shell>, view: &ConversationView) {
    let part = shell.part::<ui::Keeping>();
    let words = shell.part::<ui::PageWords>();
    let settings = shell.settings.borrow();
    let [yes, no] = [words.get_kept_yes(), words.get_kept_no()];
    let everyone = if settings.keep_history { &yes } else { &no };
    let as_for = |what: &SharedString| {
        shell
            .part::<ui::Words>()
            .invoke_policy_everyone(what.clone())
    };
    part.set_own_keeps(model(vec![as_for(everyone), yes.clone(), no.clone()]));
    part.set_own_keep(match view.history.own_keep {
        None => 0,
        Some(true) => 1,
        Some(false) => 2,
    });
    let names = expiry_words(&words);
    let at = place(settings.expiry);
    let mut expiries = vec![as_for(names.get(at).unwrap_or(&SharedString::default()))];
    expiries.extend(names.iter().cloned());
    part.set_own_expiries(model(expiries));
    part.set_own_expiry(view.history.own_expiry.map_or(0, |expiry| {
        i32::try_from(place(expiry) + 1).unwrap_or_default()
    }));
    part.set_own_text(view.history.text.as_str().into());
}

fn model(rows: Vec<SharedString>) -> ModelRc<SharedString> {
    ModelRc::new(VecModel::from(rows))
}

fn place(expiry: Expiry) -> usize {
    EXPIRIES
        .iter()
        .position(|known| *known == expiry)
        .unwrap_or_default()
}

fn keep(shell: &Rc<Shell>, index: i32) {
    let Some(view) = shell.talk.view() else {
        return;
    };
    let keep = match index {
        1 => Some(true),
        2 => Some(false),
        _ => None,
    };
    shell.tell(Request::HistorySet {
        conversation: view.id,
        keep,
        expiry: view.history.own_expiry,
    });
}

fn expiry(shell: &Rc<Shell>, index: i32) {
    let Some(view) = shell.talk.view() else {
        return;
    };
    let own = usize::try_from(index - 1)
        .ok()
        .and_then(|at| EXPIRIES.get(at).copied());
    let everyone = shell.settings.borrow().expiry;
    let request = Request::HistorySet {
        conversation: view.id,
        keep: view.history.own_keep,
        expiry: own,
    };
    // The later in the row, the shorter.
    let shorter = place(own.unwrap_or(everyone)) > place(view.history.expiry);
    if shorter {
        // The list goes back to what is in force until the person has said so.
        show(shell, &view);
        shell.show_sheet(Sheet::None);
        Pages::ask_expiry(own.unwrap_or(everyone), request);
    } else {
        shell.tell(request);
    }
}

fn erase(shell: &Rc<Shell>) {
    if let Some(conversation) = shell.talk.conversation() {
        shell.show_sheet(Sheet::None);
        Pages::ask_erase(EraseScope::Conversation { conversation });
    }
}

/// The conversation changed while the dialog is open.
pub(super) fn changed(shell: &Rc<Shell>) {
    if shell.part::<ui::App>().get_sheet() == Sheet::Keeping
        && let Some(view) = shell.talk.view()
    {
        show(shell, &view);
    }
}

/// Erases one message, after asking.
pub(super) fn erase_message(shell: &Rc<Shell>) {
    if let Some(message) = shell.talk.menu_message.get() {
        Pages::ask_erase(EraseScope::Message { message });
    }
}

/// Erases the open conversation, after asking.
pub(super) fn erase_person(shell: &Rc<Shell>) {
    talk::keep_draft(shell);
    erase(shell);
}
