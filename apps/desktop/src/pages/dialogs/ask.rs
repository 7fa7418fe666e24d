//! What the dialogs ask, each in its own words.

use slint::{ComponentHandle, SharedString};
use sotto_api::view::{
    AccountView, EraseScope, ErasedView, Expiry, OwnKeyView, PeerKeyView, Policy, PolicyScope,
    Record, SavedPasswordView,
};
use sotto_api::{ImportId, Request};

use super::{About, Opening, Weight, present};
use crate::model::{isolate, one_line};
use crate::pages::{EXPIRIES, Pages, account, expiry_words};
use crate::{DialogKind, Dialogs, PageWords, Passwords};

/// Opens a dialog in the window's words.
fn ask(pages: &Pages, opening: impl FnOnce(&PageWords<'_>) -> Opening) {
    if let Some(ui) = pages.ui() {
        let opening = opening(&ui.global::<PageWords>());
        present(pages, opening);
    }
}

/// A question whose risky way destroys something.
fn danger(
    about: About,
    (title, lead): (SharedString, SharedString),
    (act, safe): (SharedString, SharedString),
) -> Opening {
    Opening {
        about,
        title,
        lead,
        act,
        safe,
        weight: Weight::Danger,
        ..Opening::default()
    }
}

pub(in crate::pages) fn ask_proxy(pages: &Pages) {
    let proxy = pages.state.borrow().sign_in.settings.proxy.clone();
    ask(pages, |_| Opening {
        kind: DialogKind::Proxy,
        ..Opening::default()
    });
    let Some(ui) = pages.ui() else { return };
    let dialogs = ui.global::<Dialogs>();
    dialogs.set_current(0);
    if let Some(proxy) = proxy {
        dialogs.set_current(if (proxy.host.as_str(), proxy.port) == account::TOR {
            1
        } else {
            2
        });
        dialogs.set_text(proxy.host.into());
        dialogs.set_text2(proxy.port.to_string().into());
    }
}

pub(in crate::pages) fn ask_link(pages: &Pages, server: &str, link: &str) {
    ask(pages, |words| Opening {
        about: About::Link(link.to_owned()),
        title: words.invoke_open_page(server.into()),
        lead: words.get_open_page_lead(),
        note: link.into(),
        act: words.get_open(),
        safe: words.get_not_now(),
        ..Opening::default()
    });
}

pub(in crate::pages) fn ask_remove_account(pages: &Pages, view: &AccountView) {
    ask(pages, |words| Opening {
        tick: words.get_erase_too(),
        ..danger(
            About::RemoveAccount(view.id),
            (
                words.invoke_remove_title(view.address.as_str().into()),
                words.get_remove_lead(),
            ),
            (words.get_remove(), words.get_keep()),
        )
    });
}

/// What a new own key means, before it is made.
pub(in crate::pages) fn ask_new_key(pages: &Pages, key: &OwnKeyView) {
    ask(pages, |words| {
        danger(
            About::NewKey(key.account),
            (
                words.invoke_new_key_title(key.address.as_str().into()),
                words.get_new_key_lead(),
            ),
            (words.get_new_key_act(), words.get_keep()),
        )
    });
}

/// A code in the list is marked only after the person said that they compared it.
pub(in crate::pages) fn ask_verified(pages: &Pages, key: &PeerKeyView) {
    ask(pages, |words| Opening {
        about: About::Verified(key.id),
        title: words.invoke_verified_title(isolate(&one_line(&key.name)).into()),
        lead: words.get_verified_lead(),
        note: key.code.as_str().into(),
        act: words.get_verified_act(),
        safe: words.get_not_now(),
        ..Opening::default()
    });
}

/// Privacy was required, for everyone or on the account with `address`, and shall not be any more.
pub(in crate::pages) fn ask_lower(
    pages: &Pages,
    scope: PolicyScope,
    policy: Option<Policy>,
    address: Option<&str>,
) {
    ask(pages, |words| Opening {
        about: About::Lower(scope, policy),
        title: words.invoke_lower_title(address.unwrap_or_default().into()),
        lead: words.get_lower_lead(),
        act: words.get_lower_act(),
        safe: words.get_as_it_is(),
        weight: Weight::Risky,
        ..Opening::default()
    });
}

/// Says what would be gone, and asks.
pub(in crate::pages) fn ask_erase(
    pages: &Pages,
    title: SharedString,
    view: &ErasedView,
    what: EraseScope,
) {
    ask(pages, |words| {
        danger(
            About::Erase(what),
            (title, view.text.as_str().into()),
            (words.get_erase_act(), words.get_keep_word()),
        )
    });
}

/// Says that what is older goes at once, and asks.
pub(in crate::pages) fn ask_expiry(pages: &Pages, expiry: Expiry, request: Request) {
    ask(pages, |words| {
        let at = EXPIRIES.iter().position(|known| *known == expiry);
        let name = at
            .and_then(|at| expiry_words(words).get(at).cloned())
            .unwrap_or_default();
        danger(
            About::Expiry(Box::new(request)),
            (words.invoke_expiry_title(name), words.get_expiry_lead()),
            (words.get_expiry_act(), words.get_as_it_is()),
        )
    });
}

/// A kept password is shown only after the passphrase.
pub(in crate::pages) fn ask_show_password(pages: &Pages, saved: &SavedPasswordView) {
    ask(pages, |words| Opening {
        kind: DialogKind::Password,
        about: About::ShowPassword(saved.clone()),
        title: words.invoke_show_password(saved.address.as_str().into()),
        lead: words.get_show_password_lead(),
        label: words.get_passphrase(),
        act: words.get_show_word(),
        safe: words.get_not_now(),
        ..Opening::default()
    });
}

/// Removing one kept password, or all.
pub(in crate::pages) fn ask_remove_password(pages: &Pages, saved: Option<&SavedPasswordView>) {
    ask(pages, |words| {
        let text = match saved {
            Some(saved) => (
                words.invoke_remove_password(saved.address.as_str().into()),
                words.get_remove_password_lead(),
            ),
            None => (
                words.get_remove_passwords(),
                words.get_remove_passwords_lead(),
            ),
        };
        danger(
            About::RemovePasswords(saved.map(|saved| saved.account)),
            text,
            (words.get_remove(), words.get_keep_word()),
        )
    });
}

/// What plain capture files mean.
pub(in crate::pages) fn ask_record_plain(pages: &Pages) {
    ask(pages, |words| Opening {
        about: About::RecordPlain,
        title: words.get_records_plain(),
        lead: words.get_records_plain_lead(),
        act: words.get_records_plain_act(),
        safe: words.get_as_it_is(),
        weight: Weight::Risky,
        ..Opening::default()
    });
}

pub(in crate::pages) fn ask_remove_record(pages: &Pages, record: Record) {
    ask(pages, |words| {
        let title = match record {
            Record::Stanzas => words.get_records_remove(),
            Record::Log => words.get_log_remove(),
        };
        danger(
            About::RemoveRecord(record),
            (title, words.get_records_remove_lead()),
            (words.get_remove(), words.get_keep_word()),
        )
    });
}

/// What shredding can and cannot do, once more.
pub(in crate::pages) fn ask_shred(pages: &Pages, import: ImportId, text: &str) {
    ask(pages, |words| {
        danger(
            About::Shred(import),
            (words.invoke_shred_title(), text.into()),
            (words.get_shred_act(), words.get_leave_them()),
        )
    });
}

/// Asks where the keys of another program lie.
pub(in crate::pages) fn ask_bring(pages: &Pages) {
    ask(pages, |words| Opening {
        kind: DialogKind::Bring,
        title: words.get_bring(),
        lead: words.get_bring_lead(),
        ..Opening::default()
    });
}

/// A first passphrase, or another one in place of that in force.
pub(in crate::pages) fn ask_passphrase(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let has = ui.global::<Passwords>().get_has_passphrase();
    ask(pages, |words| Opening {
        kind: DialogKind::ChangePassphrase,
        title: words.invoke_choose_passphrase(has),
        label: words.get_new_passphrase(),
        ticked: has,
        ..Opening::default()
    });
}

pub(in crate::pages) fn ask_remove_passphrase(pages: &Pages) {
    ask(pages, |words| Opening {
        kind: DialogKind::Password,
        label: words.get_passphrase(),
        ..danger(
            About::RemovePassphrase,
            (
                words.get_remove_passphrase(),
                words.get_remove_passphrase_lead(),
            ),
            (words.get_remove(), words.get_keep()),
        )
    });
}

pub(in crate::pages) fn ask_new_password(pages: &Pages) {
    let Some(view) = pages.state.borrow().editing.clone() else {
        return;
    };
    ask(pages, |words| Opening {
        kind: DialogKind::ChangePassword,
        about: About::NewPassword(view.id),
        title: words.invoke_change_password(view.address.as_str().into()),
        lead: words.get_change_password_lead(),
        label: words.get_new_password(),
        ..Opening::default()
    });
}

pub(in crate::pages) fn ask_picture(pages: &Pages) {
    ask(pages, |words| Opening {
        kind: DialogKind::Picture,
        title: words.get_picture(),
        lead: words.get_picture_lead(),
        ..Opening::default()
    });
}

/// Asks for an account's password; its problem, if it has one, stands above the field.
pub(in crate::pages) fn ask_password(pages: &Pages, view: &AccountView) {
    ask(pages, |words| Opening {
        kind: DialogKind::Password,
        about: About::Password(view.id),
        title: words.invoke_password_of(view.address.as_str().into()),
        lead: view
            .problem
            .as_ref()
            .map(|problem| problem.text.as_str())
            .unwrap_or_default()
            .into(),
        label: words.get_password(),
        act: words.get_sign_in(),
        safe: words.get_stay_offline(),
        tick: words.get_remember(),
        ticked: true,
        ..Opening::default()
    });
}
