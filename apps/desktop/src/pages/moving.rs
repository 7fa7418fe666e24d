//! Moving in from Jitsi or Pidgin: look, choose, bring over, and what becomes of the originals.

use slint::{ComponentHandle, SharedString};
use sotto_api::view::{Expiry, ImportParts, ImportProgram, ImportState, ImportView};
use sotto_api::{ApiError, Field, ImportId, Reply, Request, Secret};

use super::{Pages, dialogs, model, options, records, with};
use crate::model::isolate;
use crate::{AppWindow, MoveStep, Moving, Page, PageWords};

pub(super) fn wire(ui: &AppWindow) {
    let page = ui.global::<Moving>();
    page.on_program_chosen(|_| with(|pages| say(pages, SharedString::default())));
    page.on_look(|| with(look));
    page.on_run(|| with(run));
    page.on_shred(|| with(ask_shred));
    page.on_again(|| with(again));
    page.on_leave(|| with(leave));
}

pub(super) fn show(pages: &Pages) {
    forget(pages);
    // What is kept, and for how long, decides what can be brought over.
    options::read_settings(pages);
    pages.show(Page::Moving);
}

/// Nothing of what was found stays behind the page.
pub(super) fn forget(pages: &Pages) {
    pages.state.borrow_mut().import = None;
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Moving>();
    page.set_step(MoveStep::Start);
    page.set_busy(false);
    for set in [
        Moving::set_folder,
        Moving::set_master,
        Moving::set_error,
        Moving::set_found_folder,
        Moving::set_accounts_text,
        Moving::set_passwords_text,
        Moving::set_history_text,
        Moving::set_age_text,
        Moving::set_keys_text,
        Moving::set_done_text,
        Moving::set_shred_text,
        Moving::set_progress_text,
    ] {
        set(&page, SharedString::default());
    }
    page.set_problems(model(Vec::new()));
    page.set_needs_master(false);
}

fn import(pages: &Pages) -> Option<ImportId> {
    pages.state.borrow().import.as_ref().map(|view| view.id)
}

fn close(pages: &Pages) {
    if let Some(import) = import(pages) {
        // It is forgotten with the program at the latest.
        pages.ask(Request::ImportClose { import }, |_, _| {});
    }
}

fn again(pages: &Pages) {
    close(pages);
    let folder = pages
        .ui()
        .map(|ui| ui.global::<Moving>().get_folder())
        .unwrap_or_default();
    forget(pages);
    if let Some(ui) = pages.ui() {
        ui.global::<Moving>().set_folder(folder);
    }
}

fn leave(pages: &Pages) {
    let running = pages
        .state
        .borrow()
        .import
        .as_ref()
        .is_some_and(|view| matches!(view.state, ImportState::Running { .. }));
    if !running {
        close(pages);
        forget(pages);
    }
    pages.show(Page::Main);
}

fn say(pages: &Pages, error: SharedString) {
    if let Some(ui) = pages.ui() {
        ui.global::<Moving>().set_error(error);
    }
}

fn failed(pages: &Pages, error: ApiError) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Moving>();
    page.set_busy(false);
    if page.get_step() == MoveStep::Looking {
        page.set_step(MoveStep::Start);
    }
    if error.field == Some(Field::Password) {
        page.set_needs_master(true);
    }
    page.set_error(error.message.into());
}

fn look(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Moving>();
    let program = if page.get_program() == 0 {
        ImportProgram::Jitsi
    } else {
        ImportProgram::Pidgin
    };
    let folder = Some(page.get_folder().trim().to_owned()).filter(|folder| !folder.is_empty());
    let master = Some(page.get_master()).filter(|master| !master.is_empty());
    close(pages);
    say(pages, SharedString::default());
    page.set_busy(true);
    if page.get_step() == MoveStep::Start {
        page.set_step(MoveStep::Looking);
    }
    let request = Request::ImportScan {
        program,
        folder,
        master: master.map(|master| Secret::new(master.into())),
    };
    pages.ask(request, |pages, result| match result {
        Ok(Reply::Import(view)) => {
            if let Some(ui) = pages.ui() {
                let page = ui.global::<Moving>();
                page.set_busy(false);
                page.set_accounts(!view.accounts.is_empty());
                page.set_passwords(view.passwords > 0);
                let kept = pages.state.borrow().settings.keep_history;
                page.set_history(kept && (view.messages > 0 || view.calls > 0));
                page.set_keys(view.own_keys > 0 || view.verified_keys > 0);
            }
            fill(pages, view);
        }
        Ok(_) => {}
        Err(error) => failed(pages, error),
    });
}

fn run(pages: &Pages) {
    let (Some(import), Some(ui)) = (import(pages), pages.ui()) else {
        return;
    };
    let page = ui.global::<Moving>();
    say(pages, SharedString::default());
    page.set_busy(true);
    page.set_step(MoveStep::Running);
    let parts = ImportParts {
        accounts: page.get_has_accounts() && page.get_accounts(),
        passwords: page.get_has_passwords() && page.get_passwords(),
        history: page.get_has_history() && page.get_history(),
        keys: page.get_has_keys() && page.get_keys(),
    };
    pages.ask(Request::ImportRun { import, parts }, |pages, result| {
        done(pages, result);
    });
}

fn done(pages: &Pages, result: Result<Reply, ApiError>) {
    if let Some(ui) = pages.ui() {
        ui.global::<Moving>().set_busy(false);
    }
    match result {
        Ok(Reply::Import(view)) => {
            fill(pages, view);
            pages.read_accounts(|_| {});
        }
        Ok(_) => {}
        Err(error) => {
            let view = pages.state.borrow().import.clone();
            if let Some(view) = view {
                fill(pages, view);
            }
            failed(pages, error);
        }
    }
}

/// It moved on.
pub(super) fn changed(pages: &Pages, changed: ImportId) {
    if import(pages) == Some(changed) {
        pages.ask(Request::ImportView { import: changed }, |pages, result| {
            if let Ok(Reply::Import(view)) = result
                && import(pages) == Some(view.id)
            {
                fill(pages, view);
            }
        });
    }
}

fn ask_shred(pages: &Pages) {
    let view = pages.state.borrow().import.clone();
    if let Some(view) = view {
        dialogs::ask_shred(pages, view.id, &view.shred_text);
    }
}

/// The originals were overwritten and removed.
pub(super) fn shredded(pages: &Pages, reply: Reply) {
    if let Reply::Import(view) = reply {
        fill(pages, view);
    }
}

fn fill(pages: &Pages, view: ImportView) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Moving>();
    let words = ui.global::<PageWords>();
    let none = || words.get_import_none();
    let count = |n: u64| i32::try_from(n).unwrap_or(i32::MAX);
    page.set_found_folder(isolate(&view.folder).into());
    page.set_needs_master(view.needs_master);
    page.set_has_accounts(!view.accounts.is_empty());
    page.set_accounts_text(if view.accounts.is_empty() {
        none()
    } else {
        let number = u64::try_from(view.accounts.len()).unwrap_or(u64::MAX);
        let names: Vec<String> = view.accounts.iter().map(|name| isolate(name)).collect();
        words.invoke_import_accounts(count(number), names.join(", ").into())
    });
    page.set_has_passwords(view.passwords > 0);
    page.set_passwords_text(if view.passwords == 0 {
        none()
    } else {
        words.invoke_import_passwords(count(view.passwords.into()))
    });
    let (kept, expiry) = {
        let settings = &pages.state.borrow().settings;
        (settings.keep_history, settings.expiry)
    };
    let has_history = view.messages > 0 || view.calls > 0;
    page.set_has_history(has_history && kept);
    page.set_age_text(match expiry {
        Expiry::Never => SharedString::default(),
        expiry => words.invoke_import_age(super::keeping::name(&words, expiry)),
    });
    page.set_history_text(if !has_history {
        none()
    } else if !kept {
        words.get_import_not_kept()
    } else {
        let text = words.invoke_import_history(
            count(view.messages),
            count(view.conversations.into()),
            count(view.calls),
        );
        format!("{text} {}", records::size(view.bytes)).into()
    });
    page.set_has_keys(view.own_keys > 0 || view.verified_keys > 0);
    page.set_keys_text(if view.own_keys == 0 && view.verified_keys == 0 {
        none()
    } else {
        words.invoke_import_keys(
            count(view.own_keys.into()),
            count(view.verified_keys.into()),
        )
    });
    let problems: Vec<SharedString> = view.problems.iter().map(|p| p.as_str().into()).collect();
    page.set_problems(model(problems));
    page.set_done_text(view.text.as_str().into());
    page.set_shred_text(view.shred_text.as_str().into());
    page.set_step(match view.state {
        ImportState::Found => MoveStep::Found,
        ImportState::Running { messages } => {
            page.set_progress_text(words.invoke_import_progress(
                messages.to_string().into(),
                view.messages.to_string().into(),
            ));
            page.set_progress(share(messages, view.messages));
            MoveStep::Running
        }
        ImportState::Done => MoveStep::Done,
        ImportState::Shredded => MoveStep::Shredded,
    });
    pages.state.borrow_mut().import = Some(view);
}

/// How much of all is done, 0 to 1.
#[allow(clippy::cast_precision_loss, reason = "a bar on the screen")]
fn share(done: u64, all: u64) -> f32 {
    if all == 0 {
        0.0
    } else {
        (done as f32 / all as f32).min(1.0)
    }
}
