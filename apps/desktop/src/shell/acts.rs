//! What menus, buttons and keys ask for.

use std::rc::Rc;

use slint::ComponentHandle;
#[cfg(any(test, feature = "demo"))]
use slint::Model;
use sotto_api::view::{Availability, Theme};
use sotto_api::{Reply, Request};

use super::{Shell, keeping, list, lock, sheets, talk};
use crate::model::{Keyed, PersonLine};
use crate::pages::Pages;
use crate::ui::{self, Page, Sheet};

impl Shell {
    /// A key that nothing in the window has used; whether it means something now.
    pub(super) fn key(self: &Rc<Self>, act: &str) -> bool {
        let app = self.part::<ui::App>();
        if app.get_sheet() != Sheet::None {
            return false;
        }
        let main = app.get_page() == Page::Main;
        match act {
            "quit" => {}
            "escape" => {
                let talk = self.part::<ui::Talk>();
                if talk.get_selected() > 0 {
                    self.talk.state.borrow_mut().selected.clear();
                    talk::show(self);
                    return true;
                }
                return false;
            }
            _ if !main => return false,
            "person-rename" | "person-remove" if !self.part::<ui::Talk>().get_known() => {
                return false;
            }
            "copy-selected" if self.part::<ui::Talk>().get_selected() == 0 => return false,
            "history" if !self.part::<ui::Talk>().get_open() => return false,
            _ => {}
        }
        self.act(act);
        true
    }

    /// Does what a menu entry, a button or a key asks for.
    pub fn act(self: &Rc<Self>, act: &str) {
        match act {
            "quit" => self.ask_leave(),
            "lock" => lock::now(self),
            "history" => Pages::history(self.talk.view()),
            "history-all" => Pages::history(None),
            "keeping" => keeping::open(self),
            "erase-person" => keeping::erase_person(self),
            "message-erase" => keeping::erase_message(self),
            "find" => self.part::<ui::App>().invoke_focus_pane(3),
            "list" => self.part::<ui::App>().invoke_focus_pane(0),
            "focus" => {
                let open = self.part::<ui::Talk>().get_open();
                self.part::<ui::App>()
                    .invoke_focus_pane(if open { 2 } else { 0 });
            }
            "menu-bar" => self.menu_bar(),
            "next-pane" => self.pane(1),
            "previous-pane" => self.pane(2),
            "next" => self.walk(1, false),
            "previous" => self.walk(-1, false),
            "next-unread" => self.walk(1, true),
            "previous-unread" => self.walk(-1, true),
            "back" | "close" => {
                if self.part::<ui::Talk>().get_open() {
                    talk::close(self);
                }
            }
            "open" => self.part::<ui::App>().invoke_focus_pane(2),
            "correct" => talk::correct_last(self),
            "copy-selected" => talk::copy_selected(self),
            "retry" => self.tell(Request::AccountRetry { account: None }),
            "show-offline" => {
                let mut settings = self.settings();
                settings.show_offline = !settings.show_offline;
                self.set_settings(settings);
                list::reload(self);
            }
            "theme-system" => self.theme(Theme::System),
            "theme-light" => self.theme(Theme::Light),
            "theme-dark" => self.theme(Theme::Dark),
            "larger" => self.scale(25),
            "smaller" => self.scale(-25),
            "plain-size" => self.scale(-200),
            "status-chat" => self.status(Availability::Chat),
            "status-available" => self.status(Availability::Available),
            "status-away" => self.status(Availability::Away),
            "status-long" => self.status(Availability::ExtendedAway),
            "status-busy" => self.status(Availability::Busy),
            "status-offline" => self.status(Availability::Offline),
            "copy-own-address" => {
                let address = self.part::<ui::People>().get_own_address();
                self.copy_address(&address);
            }
            "person-copy-address" => {
                if let Some(view) = self.talk.view() {
                    self.copy_address(&view.address);
                }
            }
            "message-copy" | "message-copy-link" | "message-open-link" | "message-select"
            | "message-retry" | "message-withdraw" => self.message_act(act),
            other => sheets::act(self, other),
        }
    }

    /// Quits, after asking once where messages would be lost with it.
    fn ask_leave(self: &Rc<Self>) {
        talk::keep_draft(self);
        // The owner of the profile goes on: nothing is lost. And whoever asks again does not want to wait.
        let at_once = !self.owner.get() || self.quit.get() || self.quit_asked.get();
        if at_once || self.backend.borrow().is_none() {
            self.leave();
            return;
        }
        self.quit_asked.set(true);
        self.ask(Request::QuitCount {}, |shell, answer| {
            shell.quit_asked.set(false);
            match answer {
                Ok(Reply::Erased(view)) if view.messages > 0 => {
                    shell.raise();
                    shell.show_sheet(Sheet::None);
                    Pages::ask_quit(view.messages);
                }
                // A profile that is locked or absent, too.
                _ => shell.leave(),
            }
        });
    }

    /// Signs out, saves, ends. The draft goes first.
    pub(super) fn leave(self: &Rc<Self>) {
        talk::keep_draft(self);
        if self.quit.replace(true) {
            // Asked twice: somebody does not want to wait.
            let _ = slint::quit_event_loop();
            return;
        }
        // The window goes at once; the engine saves and says `Ending`.
        let _ = self.window.hide();
        if !self.owner.get() {
            // The profile belongs to another program, which goes on.
            let _ = slint::quit_event_loop();
            return;
        }
        self.ask(Request::Quit {}, |_, _| {
            let _ = slint::quit_event_loop();
        });
        slint::Timer::single_shot(std::time::Duration::from_secs(3), || {
            let _ = slint::quit_event_loop();
        });
    }

    fn theme(self: &Rc<Self>, theme: Theme) {
        let mut settings = self.settings();
        settings.theme = theme;
        self.set_settings(settings);
    }

    fn scale(self: &Rc<Self>, by: i32) {
        let mut settings = self.settings();
        let scale = (i32::from(settings.scale) + by).clamp(100, 200);
        settings.scale = u16::try_from(scale).unwrap_or(100);
        self.set_settings(settings);
    }

    fn status(self: &Rc<Self>, availability: Availability) {
        let text = self
            .accounts
            .borrow()
            .first()
            .map(|account| account.status_text.clone())
            .unwrap_or_default();
        self.tell(Request::StatusSet {
            account: None,
            availability,
            text,
        });
    }

    fn copy_address(&self, address: &str) {
        self.part::<ui::App>().invoke_copy(address.into());
        let copied = self.part::<ui::Words>().get_address_copied();
        self.toast(&copied);
    }

    fn message_act(self: &Rc<Self>, act: &str) {
        let Some(id) = self.talk.menu_message.get() else {
            return;
        };
        let Some(message) = self.talk.message(id) else {
            return;
        };
        match act {
            "message-copy" => {
                self.part::<ui::App>()
                    .invoke_copy(message.body.as_str().into());
                let copied = self.part::<ui::Words>().get_copied();
                self.toast(&copied);
            }
            "message-copy-link" => {
                if let Some(link) = message.links.first() {
                    self.copy_address(&link.target);
                }
            }
            "message-open-link" => sheets::ask_link(self, id, 0),
            "message-select" => {
                let index = self.part::<ui::Talk>().get_current();
                talk::pick(self, index, false, true);
            }
            "message-retry" => self.tell(Request::MessageRetry { message: id }),
            "message-withdraw" => self.ask(
                Request::MessageWithdraw { message: id },
                move |shell, answer| match answer {
                    Ok(Reply::Message(view)) => talk::take_back(shell, &view),
                    Ok(_) => {}
                    Err(error) => shell.toast(&error.message),
                },
            ),
            _ => {}
        }
    }

    fn menu_bar(&self) {
        self.part::<ui::App>().invoke_focus_pane(4);
    }

    /// The next pane after the one that has the keyboard: list, messages, field.
    fn pane(self: &Rc<Self>, by: i32) {
        let app = self.part::<ui::App>();
        if self.part::<ui::Talk>().get_open() {
            app.invoke_focus_pane((app.get_focus_wanted().rem_euclid(3) + by) % 3);
        } else {
            app.invoke_focus_pane(0);
        }
    }

    /// The next or previous person in the list; or the next with something unread.
    fn walk(self: &Rc<Self>, by: i64, unread: bool) {
        let lines = self.list.lines();
        let selected = self.part::<ui::People>().get_selected();
        let people: Vec<&PersonLine> = lines
            .iter()
            .filter(|line| match line {
                PersonLine::Person { contact, key, .. } => {
                    !unread || contact.unread > 0 || *key == *selected
                }
                _ => false,
            })
            .collect();
        let count = i64::try_from(people.len()).unwrap_or(0);
        if count == 0 {
            return;
        }
        let here = people
            .iter()
            .position(|line| line.key() == selected.as_str());
        let next = match here.and_then(|at| i64::try_from(at).ok()) {
            Some(at) => (at + by).rem_euclid(count),
            None if by > 0 => 0,
            None => count - 1,
        };
        if let Some(line) = usize::try_from(next).ok().and_then(|at| people.get(at)) {
            talk::open_line(self, line, true);
        }
    }

    /// The rows of the list, as the window has them; for tests.
    #[cfg(any(test, feature = "demo"))]
    pub fn rows(&self) -> Vec<ui::PersonRow> {
        self.part::<ui::People>().get_rows().iter().collect()
    }
}
