use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::thread::ThreadId;

use jiff::tz::TimeZone;
use slint::{ComponentHandle, Global, SharedString};
use sotto_api::view::{AccountView, ProfileState, ProtectionKind, Settings, Theme};
use sotto_api::{ApiError, Event, Reply, Request, Timestamp};

use crate::backend::Backend;
use crate::pages::Pages;
use crate::picture::Pictures;
use crate::platform;
use crate::ui::{self, AppWindow, Page, Sheet};

mod acts;
mod keeping;
mod list;
mod lock;
mod sheets;
mod talk;
mod tray;
mod words;

pub use words::WindowWords;

thread_local! {
    static SHELL: RefCell<Weak<Shell>> = const { RefCell::new(Weak::new()) };
}

/// Hands an event to the window; from any thread.
pub fn post(event: Event) {
    on_window(move |shell| shell.handle(&event));
}

/// Runs something beside the window, on its thread, when it next has time. Nothing happens when it is gone.
pub(crate) fn on_window(act: impl FnOnce(&Rc<Shell>) + Send + 'static) {
    // The event loop has ended: there is no window left to tell.
    let _ = slint::invoke_from_event_loop(move || with_shell(act));
}

/// Ends this window: another was started in its place.
pub(crate) fn quit() {
    with_shell(|shell| shell.act("quit"));
}

/// Ends this window and with it the program, whatever is lost: the person was asked.
pub(crate) fn leave() {
    with_shell(Shell::leave);
}

/// Hides the window, which was explained; `told`: it need not be explained again.
pub(crate) fn hide(told: bool) {
    with_shell(|shell| tray::explained(shell, told));
}

/// Opens a conversation at a message that was found.
pub(crate) fn open_message(conversation: sotto_api::ConversationId, message: sotto_api::MessageId) {
    with_shell(|shell| talk::open_conversation(shell, conversation, Some(message), true));
}

fn with_shell(act: impl FnOnce(&Rc<Shell>)) {
    if let Some(shell) = SHELL.with(|shell| shell.borrow().upgrade()) {
        act(&shell);
    }
}

/// The window and all it knows: lives on the thread of the window, never blocks it.
pub struct Shell {
    window: AppWindow,
    thread: ThreadId,
    backend: RefCell<Option<Arc<dyn Backend>>>,
    zone: TimeZone,
    settings: RefCell<Settings>,
    accounts: RefCell<Vec<AccountView>>,
    pictures: RefCell<Pictures>,
    list: list::List,
    talk: talk::Talk,
    sheets: sheets::Sheets,
    /// What the system asks for, and that times our own setting.
    system_scale: Cell<f32>,
    own_scale: Cell<f32>,
    lock: lock::Lock,
    tray: tray::TrayIcon,
    quit: Cell<bool>,
    /// The engine is being asked what quitting would lose.
    quit_asked: Cell<bool>,
    /// This process owns the profile, so that quitting ends it.
    owner: Cell<bool>,
    window_lock: RefCell<Option<std::fs::File>>,
}

impl Shell {
    /// Makes the window, without showing it, and connects everything in it.
    ///
    /// # Errors
    /// When no window system can be reached.
    pub fn new() -> Result<Rc<Self>, slint::PlatformError> {
        let window = AppWindow::new()?;
        let shell = Rc::new_cyclic(|weak: &Weak<Self>| Self {
            thread: std::thread::current().id(),
            backend: RefCell::default(),
            zone: TimeZone::system(),
            settings: RefCell::default(),
            accounts: RefCell::default(),
            pictures: RefCell::default(),
            list: list::List::new(&window, weak),
            talk: talk::Talk::new(&window),
            sheets: sheets::Sheets::default(),
            system_scale: Cell::new(window.window().scale_factor()),
            own_scale: Cell::new(0.0),
            lock: lock::Lock::default(),
            tray: tray::TrayIcon::default(),
            quit: Cell::new(false),
            quit_asked: Cell::new(false),
            owner: Cell::new(true),
            window_lock: RefCell::default(),
            window,
        });
        SHELL.with(|slot| slot.replace(Rc::downgrade(&shell)));
        shell.wire();
        list::wire(&shell);
        talk::wire(&shell);
        sheets::wire(&shell);
        keeping::wire(&shell);
        shell.apply_settings();
        Ok(shell)
    }

    /// The window.
    pub fn window(&self) -> &AppWindow {
        &self.window
    }

    /// A part of the window's surface (`ui/state.slint`).
    pub fn part<'a, G: Global<'a, AppWindow>>(&'a self) -> G {
        self.window.global::<G>()
    }

    /// Gives the window somebody who answers, and asks for everything it shows.
    pub fn attach(self: &Rc<Self>, backend: Arc<dyn Backend>) {
        self.backend.replace(Some(backend.clone()));
        Pages::start(&self.window, backend);
        self.ask(Request::Version {}, |shell, answer| {
            if let Ok(Reply::Version(version)) = answer {
                shell.part::<ui::App>().set_version(version.into());
            }
        });
        self.reload_profile();
    }

    /// Whether this process owns the profile, or is attached to one that does.
    pub(crate) fn set_owner(&self, owner: bool) {
        self.owner.set(owner);
    }

    /// Keeps the mark of the one window until the window is gone.
    pub(crate) fn keep(&self, lock: Option<std::fs::File>) {
        self.window_lock.replace(lock);
    }

    /// Lets the desktop take part: its tray, and its sleep. Once, when the window is shown.
    pub(crate) fn meet_desktop() {
        tray::start();
        platform::before_sleep(|delay| {
            on_window(move |shell| lock::before_sleep(shell, delay));
        });
    }

    /// Sends a request. `then` runs on the window's thread, after this call or within it.
    pub fn ask(
        self: &Rc<Self>,
        request: Request,
        then: impl FnOnce(&Rc<Self>, Result<Reply, ApiError>) + Send + 'static,
    ) {
        let Some(backend) = self.backend.borrow().clone() else {
            return;
        };
        let here = self.thread;
        backend.request(
            request,
            Box::new(move |answer| {
                if std::thread::current().id() == here {
                    with_shell(|shell| then(shell, answer));
                } else {
                    on_window(move |shell| then(shell, answer));
                }
            }),
        );
    }

    /// Sends a request whose only interesting answer is a refusal, which becomes a toast.
    pub fn tell(self: &Rc<Self>, request: Request) {
        self.ask(request, |shell, answer| {
            if let Err(error) = answer {
                shell.toast(&error.message);
            }
        });
    }

    /// Shows a sentence at the lower edge for a while.
    pub fn toast(&self, text: &str) {
        self.part::<ui::App>().set_toast(text.into());
    }

    /// Opens a dialog; `Sheet::None` closes the one that is open.
    pub fn show_sheet(&self, sheet: Sheet) {
        self.part::<ui::App>().set_sheet(sheet);
    }

    /// The accounts as last heard.
    pub fn accounts(&self) -> Vec<AccountView> {
        self.accounts.borrow().clone()
    }

    /// The settings as last heard.
    pub fn settings(&self) -> Settings {
        self.settings.borrow().clone()
    }

    /// Replaces the settings, at once in the window.
    pub fn set_settings(self: &Rc<Self>, settings: Settings) {
        self.settings.replace(settings.clone());
        self.apply_settings();
        self.tell(Request::SettingsSet { settings });
    }

    /// Handles one event from the engine.
    pub fn handle(self: &Rc<Self>, event: &Event) {
        Pages::handle(event);
        match event {
            Event::ProfileChanged => self.reload_profile(),
            Event::AccountChanged { .. } => self.reload_accounts(),
            Event::ContactsChanged => list::reload(self),
            Event::SubscriptionsChanged => sheets::reload_requests(self),
            Event::ConversationChanged { conversation } => {
                talk::conversation_changed(self, *conversation);
                list::reload_recent(self);
            }
            Event::MessagesAdded { conversation, .. } => {
                talk::messages_added(self, *conversation);
                list::reload_recent(self);
            }
            Event::MessageChanged {
                conversation,
                message,
            } => talk::message_changed(self, *conversation, *message),
            Event::MessageRemoved {
                conversation,
                message,
            } => talk::message_removed(self, *conversation, *message),
            Event::HistoryErased => {
                talk::reload(self);
                list::reload(self);
            }
            Event::SettingsChanged => self.reload_settings(),
            Event::Activated { .. } => self.raise(),
            Event::Ending => {
                self.quit.set(true);
                // Without an event loop there is nothing to end.
                let _ = slint::quit_event_loop();
            }
            _ => {}
        }
    }

    /// Brings the window to the front.
    fn raise(self: &Rc<Self>) {
        // A window that cannot be shown now is shown with the next start.
        let _ = self.window.show();
        self.window.window().set_minimized(false);
        tray::refresh(self);
    }

    fn reload_profile(self: &Rc<Self>) {
        self.ask(Request::ProfileStatus {}, |shell, answer| {
            let Ok(Reply::Profile(profile)) = answer else {
                return;
            };
            shell
                .part::<ui::People>()
                .set_warning(profile.warning.as_str().into());
            shell
                .part::<ui::People>()
                .set_can_lock(profile.protection == Some(ProtectionKind::Passphrase));
            match profile.state {
                ProfileState::Open => shell.opened(),
                ProfileState::Locked | ProfileState::Absent => lock::forget(shell),
            }
            tray::refresh(shell);
        });
    }

    /// The profile is open: everything else can be read.
    fn opened(self: &Rc<Self>) {
        self.reload_settings();
        list::reload(self);
        self.reload_accounts();
        sheets::reload_requests(self);
        lock::reopen(self);
    }

    fn reload_accounts(self: &Rc<Self>) {
        self.ask(Request::AccountList {}, |shell, answer| {
            if let Ok(Reply::Accounts(accounts)) = answer {
                shell.accounts.replace(accounts);
                list::show_accounts(shell);
                tray::refresh(shell);
            }
        });
    }

    fn reload_settings(self: &Rc<Self>) {
        self.ask(Request::SettingsGet {}, |shell, answer| {
            if let Ok(Reply::Settings(settings)) = answer {
                shell.settings.replace(settings);
                shell.apply_settings();
            }
        });
    }

    /// Makes the window look as the settings say.
    fn apply_settings(self: &Rc<Self>) {
        let settings = self.settings.borrow().clone();
        let look = self.part::<ui::Look>();
        look.set_dark(match settings.theme {
            Theme::Dark => true,
            Theme::Light => false,
            Theme::System => self.window.get_system_dark(),
        });
        look.set_high_contrast(settings.high_contrast);
        look.set_still(settings.reduced_motion);

        let wish = if settings.language.is_empty() {
            platform::system_language()
        } else {
            settings.language.clone()
        };
        let first = wish.split('-').next().unwrap_or_default().to_owned();
        let spoken = [wish.as_str(), first.as_str()]
            .into_iter()
            .find(|language| {
                !language.is_empty() && slint::select_bundled_translation(language).is_ok()
            });
        if spoken.is_none() {
            // English is what the window is written in; it cannot be missing.
            let _ = slint::select_bundled_translation("");
        }
        // A window whose words are English reads from left to right, whatever the system speaks.
        look.set_rtl(spoken.is_some_and(platform::is_right_to_left));

        let app = self.part::<ui::App>();
        app.set_enter_sends(settings.enter_sends);
        app.set_show_offline(settings.show_offline);
        app.set_theme(match settings.theme {
            Theme::System => 0,
            Theme::Light => 1,
            Theme::Dark => 2,
        });
        self.apply_scale(settings.scale);
        list::refresh(self);
        talk::refresh(self);
    }

    /// The system draws on a screen of another density than the one last known.
    fn scaled(self: &Rc<Self>) {
        let factor = self.window.window().scale_factor();
        if (factor - self.own_scale.get()).abs() > 0.001 {
            self.system_scale.set(factor);
            let scale = self.settings.borrow().scale;
            self.apply_scale(scale);
        }
    }

    /// Draws everything at so many per cent of what the system asks for.
    fn apply_scale(&self, scale: u16) {
        let window = self.window.window();
        let factor = self.system_scale.get() * f32::from(scale.clamp(100, 200)) / 100.0;
        self.own_scale.set(factor);
        if (factor - window.scale_factor()).abs() > 0.001 {
            // The surface keeps its pixels; what it shows gets larger, so less fits in it. Both must be said, or the
            // renderer draws outside of the surface.
            let size = window.size().to_logical(factor);
            window.dispatch_event(slint::platform::WindowEvent::ScaleFactorChanged {
                scale_factor: factor,
            });
            window.dispatch_event(slint::platform::WindowEvent::Resized { size });
            // What was laid out for the old density stays in the renderer's cache (Slint 1.18.1), so the page is made anew.
            let app = self.part::<ui::App>();
            let page = app.get_page();
            if page != Page::Opening {
                app.set_page(Page::Opening);
                slint::Timer::single_shot(std::time::Duration::ZERO, move || {
                    with_shell(|shell| {
                        let app = shell.part::<ui::App>();
                        if app.get_page() == Page::Opening {
                            app.set_page(page);
                        }
                    });
                });
            }
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp(jiff::Timestamp::now().as_millisecond())
    }

    /// A picture by its hash, asked for when it is not here yet.
    fn picture(self: &Rc<Self>, hash: Option<&str>) -> Option<slint::Image> {
        let hash = hash?;
        let known = self.pictures.borrow_mut().get(hash);
        match known {
            Ok(picture) => picture,
            Err(()) => {
                let wanted = hash.to_owned();
                self.ask(
                    Request::AvatarGet {
                        hash: hash.to_owned(),
                    },
                    move |shell, answer| {
                        if let Ok(Reply::Avatar(picture)) = answer
                            && shell.pictures.borrow_mut().put(wanted, picture.as_deref())
                        {
                            list::refresh(shell);
                            talk::show_header(shell);
                        }
                    },
                );
                None
            }
        }
    }

    fn wire(self: &Rc<Self>) {
        let app = self.part::<ui::App>();
        app.on_act(|name| with_shell(|shell| shell.act(&name)));
        app.on_key(|text, control, alt, shift| {
            let Some(act) = crate::keys::act(&text, control, alt, shift) else {
                return false;
            };
            let mut used = false;
            with_shell(|shell| used = shell.key(act));
            used
        });
        app.on_scaled(|| with_shell(Self::scaled));
        app.on_active(|| with_shell(lock::active));
        self.part::<ui::Menus>()
            .on_chosen(|act| with_shell(|shell| shell.act(&act)));
        self.window
            .on_system_theme(|| with_shell(Self::apply_settings));
        self.window.window().on_close_requested(|| {
            with_shell(tray::close);
            slint::CloseRequestResponse::KeepWindowShown
        });

        let cursor = self.part::<ui::Cursor>();
        let at = |offset: i32| usize::try_from(offset).unwrap_or_default();
        let back = |offset: usize| i32::try_from(offset).unwrap_or(i32::MAX);
        cursor.on_rtl(move |text: SharedString, offset| {
            crate::model::paragraph_right_to_left(&text, at(offset))
        });
        cursor.on_step(move |text, offset, forward| {
            back(crate::model::step(&text, at(offset), forward))
        });
        cursor.on_edge(move |text, offset, end| back(crate::model::edge(&text, at(offset), end)));
    }
}
