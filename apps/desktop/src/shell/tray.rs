//! The icon in the tray: the window can be closed, and Sotto goes on. Without a tray, closing quits (R-SYS-03).

use std::cell::RefCell;
use std::rc::Rc;

use slint::ComponentHandle;
use sotto_api::view::{AccountState, Availability};

use super::{Shell, on_window, with_shell};
use crate::pages::Pages;
use crate::platform;
use crate::ui::{self, Tray, TrayState};

#[derive(Default)]
pub(super) struct TrayIcon {
    icon: RefCell<Option<Tray>>,
}

/// Looks for a tray, beside the window, and puts the icon there.
pub(super) fn start() {
    let _ = std::thread::Builder::new().name("tray".into()).spawn(|| {
        if platform::has_tray() {
            on_window(make);
        }
    });
}

fn make(shell: &Rc<Shell>) {
    // Where the tray went meanwhile, there is none.
    let Ok(tray) = Tray::new() else { return };
    tray.on_act(|name| {
        with_shell(|shell| match name.as_str() {
            "window-toggle" => toggle(shell),
            "options-shown" => {
                shell.raise();
                shell.act("options");
            }
            other => shell.act(other),
        });
    });
    shell.tray.icon.replace(Some(tray));
    refresh(shell);
}

fn toggle(shell: &Rc<Shell>) {
    if shell.window.window().is_visible() {
        hide(shell);
    } else {
        shell.raise();
    }
    refresh(shell);
}

/// Takes the window from the screen; Sotto goes on.
pub(super) fn hide(shell: &Rc<Shell>) {
    super::talk::keep_draft(shell);
    // A window that cannot be hidden stays.
    let _ = shell.window.hide();
    refresh(shell);
}

/// The button that closes the window.
pub(super) fn close(shell: &Rc<Shell>) {
    if shell.tray.icon.borrow().is_none() {
        return shell.act("quit");
    }
    // A locked window knows no settings, and is explained to by the one before it was locked.
    if shell.lock.is_open() && !shell.settings.borrow().tray_told {
        shell.show_sheet(ui::Sheet::None);
        return Pages::ask_hide();
    }
    hide(shell);
}

/// Hides the window after it was explained; `told`: it need not be explained again.
pub(super) fn explained(shell: &Rc<Shell>, told: bool) {
    if told {
        let mut settings = shell.settings();
        settings.tray_told = true;
        shell.set_settings(settings);
    }
    hide(shell);
}

/// Shows what is now.
pub(super) fn refresh(shell: &Rc<Shell>) {
    let icon = shell.tray.icon.borrow();
    let Some(tray) = icon.as_ref() else { return };
    let open = shell.lock.is_open();
    let unread = shell.list.has_unread();
    tray.set_shown(shell.window.window().is_visible());
    tray.set_open(open);
    tray.set_can_lock(open && shell.part::<ui::People>().get_can_lock());
    let best = shell
        .accounts
        .borrow()
        .iter()
        .filter(|account| account.state == AccountState::Online)
        .map(|account| account.availability)
        .next();
    tray.set_state(state(open, unread, best));
}

/// `best` is the presence of the first account that is signed in.
fn state(open: bool, unread: bool, best: Option<Availability>) -> TrayState {
    match best {
        _ if !open => TrayState::Locked,
        _ if unread => TrayState::Unread,
        Some(Availability::Chat | Availability::Available) => TrayState::Online,
        Some(Availability::Away | Availability::ExtendedAway) => TrayState::Away,
        Some(Availability::Busy) => TrayState::Busy,
        Some(Availability::Offline | Availability::Unknown) | None => TrayState::Offline,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_profile_shows_nothing_else_in_the_tray() {
        let best = Some(Availability::Busy);
        assert_eq!(state(false, true, best), TrayState::Locked);
        assert_eq!(state(true, true, best), TrayState::Unread);
        assert_eq!(state(true, false, best), TrayState::Busy);
        assert_eq!(state(true, false, None), TrayState::Offline);
    }
}
