//! Locking: a locked window knows nothing and shows nothing; an opened one is where it was.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use slint::ModelRc;
use sotto_api::{ConversationId, Event, Request};

use super::{Shell, list, sheets, talk};
use crate::picture::Pictures;
use crate::ui::{self, Sheet};

/// The engine hears at most so often that the person is there.
const QUIET: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct Lock {
    /// When the engine was last told that the person is there.
    told: Cell<Option<Instant>>,
    /// Which conversation to open again.
    open: Cell<Option<ConversationId>>,
    /// The profile is open, so that there is something to forget.
    known: Cell<bool>,
}

impl Lock {
    /// The profile is open.
    pub fn is_open(&self) -> bool {
        self.known.get()
    }
}

/// The person did something.
pub(super) fn active(shell: &Rc<Shell>) {
    if shell.settings.borrow().lock_after == 0 || !shell.lock.known.get() {
        return;
    }
    let now = Instant::now();
    let told = shell.lock.told.get();
    if told.is_some_and(|told| now.duration_since(told) < QUIET) {
        return;
    }
    shell.lock.told.set(Some(now));
    // A refusal means that it has just been locked: nobody waits for it then.
    shell.ask(Request::PersonActive {}, |_, _| {});
}

/// Locks now. The draft goes first.
pub(super) fn now(shell: &Rc<Shell>) {
    talk::keep_draft(shell);
    shell.ask(Request::ProfileLock {}, |shell, answer| match answer {
        // The engine says so too; what stands in the window need not wait for it.
        Ok(_) => shell.handle(&Event::ProfileChanged),
        Err(error) => shell.toast(&error.message),
    });
}

/// Locks because the computer is about to sleep, which waits until `delay` is dropped. Nothing where there is no
/// passphrase.
pub(super) fn before_sleep(shell: &Rc<Shell>, delay: Box<dyn Send>) {
    if !shell.lock.known.get() || !shell.part::<ui::People>().get_can_lock() {
        return;
    }
    talk::keep_draft(shell);
    shell.ask(Request::ProfileLock {}, move |shell, answer| {
        match answer {
            Ok(_) => shell.handle(&Event::ProfileChanged),
            Err(error) => shell.toast(&error.message),
        }
        drop(delay);
    });
}

/// Forgets everything that the window knows of the profile, on the screen and behind it.
pub(super) fn forget(shell: &Rc<Shell>) {
    if !shell.lock.known.replace(false) {
        return;
    }
    shell.lock.open.set(shell.talk.conversation());
    shell.show_sheet(Sheet::None);
    shell.toast("");
    talk::forget(shell);
    list::forget(shell);
    sheets::forget(shell);
    shell.accounts.borrow_mut().clear();
    list::show_accounts(shell);
    shell.pictures.replace(Pictures::default());
    let menus = shell.part::<ui::Menus>();
    menus.set_items(ModelRc::default());
    menus.set_dismissed(menus.get_dismissed() + 1);
    let app = shell.part::<ui::App>();
    app.set_recording(Default::default());
    app.set_clip(Default::default());
    shell.window.set_heading("Sotto".into());
}

/// The profile is open: the conversation that was open before it was locked is open again.
pub(super) fn reopen(shell: &Rc<Shell>) {
    shell.lock.known.set(true);
    if let Some(conversation) = shell.lock.open.take() {
        talk::open_conversation(shell, conversation, None, true);
    }
}
