//! The pages besides the main window: first start, passphrase, signing in, making an account, options.
//!
//! A page is a Slint global with fields and callbacks; the code here fills the fields from views and turns callbacks into
//! requests. What was typed stays until the request succeeded.

mod account;
mod codes;
mod create;
mod dialogs;
mod ending;
mod files;
mod form;
mod history;
mod keeping;
mod moving;
mod options;
mod passphrase;
mod passwords;
mod portrait;
mod records;
mod sign_in;

pub use keeping::{EXPIRIES, expiry_words};

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use slint::{ComponentHandle, Model, ModelRc, SharedString, VecModel, Weak};
use sotto_api::view::{
    AccountView, ConversationView, EraseScope, Expiry, ImportView, ProfileState, ProfileView,
    ProtectionKind, SavedPasswordView, Settings,
};
use sotto_api::{ApiError, Event, Reply, Request};

use crate::backend::Backend;
use crate::{App, AppWindow, Page};

thread_local! {
    // The window lives on one thread; answers come back to it and find the pages here.
    static PAGES: RefCell<Option<Rc<Pages>>> = const { RefCell::new(None) };
}

/// Everything the pages know between two callbacks.
#[derive(Default)]
struct State {
    profile: Option<ProfileView>,
    accounts: Vec<AccountView>,
    settings: Settings,
    sign_in: sign_in::SignInState,
    create: create::CreateState,
    editing: Option<AccountView>,
    dialogs: dialogs::DialogState,
    codes: codes::CodesState,
    history: history::HistoryState,
    saved: Vec<SavedPasswordView>,
    import: Option<ImportView>,
    languages: Vec<String>,
    /// The page that was open when the profile was locked.
    locked_on: Option<LockedOn>,
}

/// A page to come back to after a lock. What else can be open is left: what was typed there is forgotten.
#[derive(Clone, Copy)]
enum LockedOn {
    Options,
    History(history::Place),
}

/// The pages of one window.
pub struct Pages {
    ui: Weak<AppWindow>,
    backend: Arc<dyn Backend>,
    state: RefCell<State>,
}

impl Pages {
    /// Connects the pages to the window and to whoever answers requests, and shows the first page that is due.
    pub fn start(ui: &AppWindow, backend: Arc<dyn Backend>) {
        let pages = Rc::new(Self {
            ui: ui.as_weak(),
            backend,
            state: RefCell::default(),
        });
        PAGES.with(|slot| *slot.borrow_mut() = Some(pages.clone()));
        passphrase::wire(ui);
        sign_in::wire(ui);
        create::wire(ui);
        options::wire(ui);
        codes::wire(ui);
        account::wire(ui);
        history::wire(ui);
        passwords::wire(ui);
        keeping::wire(ui);
        records::wire(ui);
        moving::wire(ui);
        dialogs::wire(ui);
        pages.read_profile();
    }

    /// Tells the pages what changed. Call it on the window's thread.
    pub fn handle(event: &Event) {
        with(|pages| match event {
            Event::ProfileChanged => pages.read_profile(),
            Event::AccountChanged { .. } => pages.read_accounts(|_| {}),
            Event::QuestionsChanged => dialogs::read_questions(pages),
            Event::RegistrationChanged { registration } => create::read(pages, *registration),
            Event::SettingsChanged => options::read_settings(pages),
            Event::KeysChanged => codes::read_keys(pages),
            Event::PoliciesChanged => codes::read_policies(pages),
            Event::HistoryErased => history::erased(pages),
            Event::MessageRemoved { message, .. } => history::removed(pages, *message),
            Event::RecordsChanged => records::read(pages),
            Event::ImportChanged { import } => moving::changed(pages, *import),
            _ => {}
        });
    }

    /// Opens a page by the name of its menu entry; whether it was one.
    pub fn act(name: &str) -> bool {
        let known = matches!(
            name,
            "account-add"
                | "options"
                | "accounts"
                | "security"
                | "advanced"
                | "move-in"
                | "back-up"
                | "open-profile"
                | "profile-destroy"
                | "records-stop"
        );
        let mut used = false;
        with(|pages| used = history::act(pages, name));
        with(|pages| match name {
            "account-add" => sign_in::show(pages),
            "options" => options::show(pages, None),
            "accounts" => options::show(pages, Some(1)),
            "security" => options::show(pages, Some(2)),
            "advanced" => options::show(pages, Some(4)),
            "move-in" => moving::show(pages),
            "back-up" => files::ask_back_up(pages),
            "open-profile" => files::ask_profile(pages),
            "profile-destroy" => ending::ask_destroy(pages),
            "records-stop" => records::record(pages, sotto_api::view::Recording::Off),
            _ => {}
        });
        known || used
    }

    /// Opens the history of a conversation, or of all.
    pub fn history(view: Option<ConversationView>) {
        with(|pages| history::show(pages, view));
    }

    /// Asks before the program ends and loses messages with it.
    pub fn ask_quit(messages: u64) {
        with(|pages| ending::ask_quit(pages, messages));
    }

    /// Explains that the window goes and Sotto stays, before it first does.
    pub fn ask_hide() {
        with(ending::ask_hide);
    }

    /// Asks before something is erased, saying how much it is.
    pub fn ask_erase(what: EraseScope) {
        with(|pages| history::ask_erase(pages, what));
    }

    /// Asks before `request` makes messages expire sooner.
    pub fn ask_expiry(expiry: Expiry, request: Request) {
        with(|pages| dialogs::ask_expiry(pages, expiry, request));
    }

    /// The profile opens with a passphrase.
    fn has_passphrase(&self) -> bool {
        let state = self.state.borrow();
        let profile = state.profile.as_ref();
        profile.is_some_and(|it| it.protection == Some(ProtectionKind::Passphrase))
    }

    fn ui(&self) -> Option<AppWindow> {
        self.ui.upgrade()
    }

    /// Sends a request; `then` runs on the window's thread with the answer.
    fn ask(
        &self,
        request: Request,
        then: impl FnOnce(&Pages, Result<Reply, ApiError>) + Send + 'static,
    ) {
        let here = std::thread::current().id();
        self.backend.request(
            request,
            Box::new(move |result| {
                if std::thread::current().id() == here {
                    return with(|pages| then(pages, result));
                }
                // Fails only when the window is gone; then nobody waits for the answer.
                let _ = slint::invoke_from_event_loop(move || with(|pages| then(pages, result)));
            }),
        );
    }

    fn show(&self, page: Page) {
        if let Some(ui) = self.ui() {
            ui.global::<App>().set_page(page);
        }
    }

    fn toast(&self, text: SharedString) {
        if let Some(ui) = self.ui() {
            ui.global::<App>().set_toast(text);
        }
    }

    fn read_profile(&self) {
        self.ask(Request::ProfileStatus {}, |pages, result| match result {
            Ok(Reply::Profile(profile)) => pages.profile_is(profile),
            Ok(_) => {}
            Err(error) => pages.toast(error.message.into()),
        });
    }

    fn profile_is(&self, profile: ProfileView) {
        let state = profile.state;
        let before = self.state.borrow().profile.as_ref().map(|p| p.state);
        self.state.borrow_mut().profile = Some(profile);
        options::fill_security(self);
        let page = self.ui().map(|ui| ui.global::<App>().get_page());
        match state {
            ProfileState::Absent => self.show(Page::FirstStart),
            ProfileState::Locked => {
                if before == Some(ProfileState::Open) {
                    let locked_on = match page {
                        Some(Page::Options) => Some(LockedOn::Options),
                        Some(Page::History) => Some(LockedOn::History(history::place(self))),
                        _ => None,
                    };
                    self.forget();
                    self.state.borrow_mut().locked_on = locked_on;
                }
                if before != Some(state)
                    && let Some(ui) = self.ui()
                {
                    ui.global::<crate::Unlock>()
                        .set_locked(before == Some(ProfileState::Open));
                }
                self.show(Page::Unlock);
            }
            ProfileState::Open if self.is_outside() => {
                passphrase::forget(self);
                options::read_settings(self);
                dialogs::read_questions(self);
                records::read(self);
                self.read_accounts(Self::enter);
            }
            ProfileState::Open => {}
        }
    }

    /// Whether a page is open that stands before the profile.
    fn is_outside(&self) -> bool {
        let page = self.ui().map(|ui| ui.global::<App>().get_page());
        matches!(page, Some(Page::Opening | Page::FirstStart | Page::Unlock))
    }

    /// The profile is open: the first page in it, or the one on which it was locked.
    fn enter(&self) {
        // Asked for twice, by the answer and by the event; the second finds the page open.
        if !self.is_outside() {
            return;
        }
        let locked_on = self.state.borrow_mut().locked_on.take();
        if self.state.borrow().accounts.is_empty() {
            sign_in::show(self);
        } else {
            self.show(Page::Main);
        }
        match locked_on {
            Some(LockedOn::Options) => options::show(self, None),
            Some(LockedOn::History(place)) => history::come_back(self, place),
            None => {}
        }
    }

    /// Forgets everything that pages and dialogs know of the profile: it is locked.
    fn forget(&self) {
        dialogs::forget(self);
        history::forget(self);
        moving::forget(self);
        {
            let mut state = self.state.borrow_mut();
            let profile = state.profile.take();
            let round = std::mem::take(&mut state.history);
            *state = State {
                profile,
                history: round,
                ..State::default()
            };
        }
        options::forget(self);
        codes::forget(self);
        passphrase::forget(self);
        sign_in::forget(self);
    }

    fn read_accounts(&self, then: impl FnOnce(&Pages) + Send + 'static) {
        self.ask(Request::AccountList {}, |pages, result| {
            if let Ok(Reply::Accounts(accounts)) = result {
                pages.state.borrow_mut().accounts = accounts;
                options::fill_accounts(pages);
                account::refresh(pages);
                dialogs::consider_passwords(pages);
                then(pages);
            }
        });
    }
}

/// Runs `f` with the pages of this thread's window, if there is one.
fn with(f: impl FnOnce(&Pages)) {
    let pages = PAGES.with(|slot| slot.borrow().clone());
    if let Some(pages) = pages {
        f(&pages);
    }
}

fn model<T: Clone + 'static>(rows: Vec<T>) -> ModelRc<T> {
    ModelRc::new(VecModel::from(rows))
}

/// Changes one row of a model in place, so that the field being typed in keeps its focus.
fn change<T: Clone + 'static>(model: &ModelRc<T>, index: usize, f: impl FnOnce(&mut T)) {
    if let Some(mut row) = model.row_data(index) {
        f(&mut row);
        model.set_row_data(index, row);
    }
}
