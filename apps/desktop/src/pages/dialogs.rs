//! The dialogs of the pages: one at a time, the gravest first, each answered by the person.

mod ask;
mod certificate;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use slint::{ComponentHandle, SharedString};
use sotto_api::view::{
    AccountState, EraseScope, Policy, PolicyScope, QuestionView, Record, Recording,
    SavedPasswordView, Trust,
};
use sotto_api::{
    AccountId, CertificateAnswer, ConversationId, Field, ImportId, PeerKeyId, Protection,
    QuestionId, Reply, Request, Secret,
};

use super::{
    Pages, account, codes, ending, files, history, model, moving, options, passphrase, passwords,
    portrait, records, sign_in, with,
};
use crate::{AppWindow, DialogKind, Dialogs, PageWords};

pub(super) use ask::*;
pub(super) use certificate::read_questions;

/// What the open dialog is about.
#[derive(Clone, Default)]
pub(super) enum About {
    #[default]
    Nothing,
    SaveHistory(ConversationId),
    SaveRecord(Record),
    OpenProfile,
    Quit,
    Hide,
    Erase(EraseScope),
    Expiry(Box<Request>),
    RemovePasswords(Option<AccountId>),
    ShowPassword(SavedPasswordView),
    RecordPlain,
    RemoveRecord(Record),
    Shred(ImportId),
    Certificate(QuestionId),
    Password(AccountId),
    RemoveAccount(AccountId),
    RemovePassphrase,
    NewPassword(AccountId),
    Link(String),
    NewKey(AccountId),
    Verified(PeerKeyId),
    Lower(PolicyScope, Option<Policy>),
}

#[derive(Default)]
pub(super) struct DialogState {
    about: About,
    questions: Vec<QuestionView>,
    /// The state in which an account's password was last asked for.
    asked: BTreeMap<AccountId, String>,
}

pub(super) fn wire(ui: &AppWindow) {
    let dialogs = ui.global::<Dialogs>();
    dialogs.on_accept(|| with(accept));
    dialogs.on_other(|| with(|pages| certificate::answer(pages, CertificateAnswer::ThisTime)));
    dialogs.on_third(|| with(|pages| certificate::answer(pages, CertificateAnswer::Always)));
    dialogs.on_escaped(|| with(escape));
    dialogs.on_name_start(|path| offset(name_in(&path).start));
    dialogs.on_name_end(|path| offset(name_in(&path).end));
    dialogs.on_edited(|text| {
        with(|pages| {
            passphrase::measure(pages, &text, |ui, view| {
                let dialogs = ui.global::<Dialogs>();
                dialogs.set_steps(i32::from(view.steps));
                dialogs.set_word(view.word.into());
                dialogs.set_meaning(view.meaning.into());
            });
        });
    });
}

/// How the ways out of a question weigh against each other.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Weight {
    /// Both are harmless.
    #[default]
    Plain,
    /// The act destroys something.
    Danger,
    /// It can be undone, but others may have read something by then: the safe way is the filled button.
    Risky,
}

/// A dialog as it opens.
struct Opening {
    kind: DialogKind,
    about: About,
    title: SharedString,
    lead: SharedString,
    note: SharedString,
    /// Of its first field.
    label: SharedString,
    act: SharedString,
    /// Empty: *Close*.
    safe: SharedString,
    weight: Weight,
    tick: SharedString,
    ticked: bool,
}

impl Default for Opening {
    fn default() -> Self {
        let none = SharedString::default;
        Self {
            kind: DialogKind::Question,
            about: About::Nothing,
            title: none(),
            lead: none(),
            note: none(),
            label: none(),
            act: none(),
            safe: none(),
            weight: Weight::Plain,
            tick: none(),
            ticked: false,
        }
    }
}

/// Opens a dialog with empty fields; what it is about is remembered for its answer.
fn present(pages: &Pages, opening: Opening) {
    let Some(ui) = pages.ui() else { return };
    let dialogs = ui.global::<Dialogs>();
    for set in [
        Dialogs::set_error,
        Dialogs::set_error2,
        Dialogs::set_error3,
        Dialogs::set_text,
        Dialogs::set_text2,
        Dialogs::set_text3,
        Dialogs::set_text4,
        Dialogs::set_word,
        Dialogs::set_meaning,
        Dialogs::set_pem,
    ] {
        set(&dialogs, SharedString::default());
    }
    dialogs.set_busy(false);
    dialogs.set_steps(0);
    dialogs.set_show_pem(false);
    dialogs.set_title(opening.title);
    dialogs.set_lead(opening.lead);
    dialogs.set_note(opening.note);
    dialogs.set_label(opening.label);
    dialogs.set_act(opening.act);
    dialogs.set_safe(if opening.safe.is_empty() {
        ui.global::<PageWords>().get_close()
    } else {
        opening.safe
    });
    dialogs.set_danger(opening.weight == Weight::Danger);
    dialogs.set_risky(opening.weight == Weight::Risky);
    dialogs.set_tick(opening.tick);
    dialogs.set_ticked(opening.ticked);
    pages.state.borrow_mut().dialogs.about = opening.about;
    dialogs.set_kind(opening.kind);
}

/// Opens a dialog of a kind of its own; the caller fills its fields.
pub(super) fn open(
    pages: &Pages,
    kind: DialogKind,
    about: About,
    title: SharedString,
    lead: SharedString,
) {
    present(
        pages,
        Opening {
            kind,
            about,
            title,
            lead,
            ..Opening::default()
        },
    );
}

/// Empties everything that the dialog held, and closes it.
fn empty(pages: &Pages) {
    present(
        pages,
        Opening {
            kind: DialogKind::None,
            ..Opening::default()
        },
    );
}

/// Closes the dialog, wipes its fields, and opens the next that waits.
pub(super) fn close(pages: &Pages) {
    empty(pages);
    next(pages);
}

fn is_free(pages: &Pages) -> bool {
    pages
        .ui()
        .is_some_and(|ui| ui.global::<Dialogs>().get_kind() == DialogKind::None)
}

/// Where in a path the name of its file stands, without the ending.
fn name_in(path: &str) -> Range<usize> {
    let start = path
        .rfind(std::path::is_separator)
        .map_or(0, |separator| separator + 1);
    let ending = path
        .rfind('.')
        .filter(|dot| *dot > start)
        .unwrap_or(path.len());
    start..ending
}

/// A byte offset, for the window.
fn offset(at: usize) -> i32 {
    i32::try_from(at).unwrap_or(i32::MAX)
}

/// One sentence to read, nothing to decide.
pub(super) fn tell(pages: &Pages, title: SharedString, text: SharedString) {
    open(pages, DialogKind::Question, About::Nothing, title, text);
}

/// Closes the dialog and forgets every question: the profile is locked.
pub(super) fn forget(pages: &Pages) {
    pages.state.borrow_mut().dialogs = DialogState::default();
    empty(pages);
    if let Some(ui) = pages.ui() {
        ui.global::<Dialogs>().set_lines(model(Vec::new()));
    }
}

/// An account came to need its password: asks once for each time it does.
pub(super) fn consider_passwords(pages: &Pages) {
    {
        let mut state = pages.state.borrow_mut();
        let waiting: BTreeSet<AccountId> = state
            .accounts
            .iter()
            .filter(|a| a.state == AccountState::NeedsPassword)
            .map(|a| a.id)
            .collect();
        state.dialogs.asked.retain(|id, _| waiting.contains(id));
    }
    next(pages);
}

fn next(pages: &Pages) {
    if !is_free(pages) {
        return;
    }
    let question = pages.state.borrow().dialogs.questions.first().cloned();
    if let Some(QuestionView::Certificate {
        id,
        domain,
        reason,
        now,
        before,
        ..
    }) = question
    {
        return certificate::show(pages, id, &domain, &reason, &now, before.as_deref());
    }
    let account = {
        let mut state = pages.state.borrow_mut();
        let needs = state
            .accounts
            .iter()
            .find(|a| {
                a.state == AccountState::NeedsPassword && !state.dialogs.asked.contains_key(&a.id)
            })
            .cloned();
        if let Some(view) = &needs {
            let key = view
                .problem
                .as_ref()
                .map(|p| p.title.clone())
                .unwrap_or_default();
            state.dialogs.asked.insert(view.id, key);
        }
        needs
    };
    if let Some(view) = account {
        ask_password(pages, &view);
    }
}

/// The safest way out.
fn escape(pages: &Pages) {
    let about = pages.state.borrow().dialogs.about.clone();
    match about {
        About::Certificate(_) => certificate::answer(pages, CertificateAnswer::Reject),
        About::Lower(..) => {
            close(pages);
            // The list shows what was chosen in it; it goes back to what is in force.
            codes::read_policies(pages);
        }
        About::RecordPlain | About::Expiry(_) => {
            close(pages);
            options::read_settings(pages);
        }
        _ => close(pages),
    }
}

fn accept(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let dialogs = ui.global::<Dialogs>();
    let about = pages.state.borrow().dialogs.about.clone();
    match (dialogs.get_kind(), about) {
        (DialogKind::WithoutPassphrase, _) => {
            close(pages);
            passphrase::without(pages);
        }
        (DialogKind::Password, About::Password(account)) => {
            let password = dialogs.get_text();
            if password.is_empty() {
                return dialogs.set_error(ui.global::<PageWords>().get_no_password());
            }
            let request = Request::AccountPassword {
                account,
                password: Secret::new(password.into()),
                remember: dialogs.get_ticked(),
            };
            // The next refusal is a new one, and asks again.
            send(pages, request, move |pages| {
                pages.state.borrow_mut().dialogs.asked.remove(&account);
            });
        }
        (DialogKind::Password, About::RemovePassphrase) => {
            let request = Request::ProfileProtect {
                current: Some(Secret::new(dialogs.get_text().into())),
                protection: Protection::None,
            };
            send(pages, request, |pages| {
                done(pages, |words| words.get_passphrase_removed());
                // Nothing could be locked any more; the next passphrase does not bring an old wish back.
                options::set(pages, |settings| settings.lock_after = 0);
            });
        }
        (DialogKind::ChangePassphrase, _) => change_passphrase(pages, &ui),
        (DialogKind::ChangePassword, About::NewPassword(account)) => {
            if let Some(password) = twice(&ui) {
                let request = Request::AccountChangePassword { account, password };
                send(pages, request, |pages| {
                    done(pages, |words| words.get_password_changed())
                });
            }
        }
        (DialogKind::Question, About::RemoveAccount(account)) => {
            let request = Request::AccountRemove {
                account,
                erase_history: dialogs.get_ticked(),
            };
            send(pages, request, |pages| pages.read_accounts(|_| {}));
        }
        (DialogKind::Question, About::NewKey(account)) => {
            send(pages, Request::OwnKeyRenew { account }, codes::read);
        }
        (DialogKind::Question, About::Verified(key)) => {
            let request = Request::PeerKeyTrust {
                key,
                trust: Trust::Verified,
            };
            send(pages, request, codes::read);
        }
        (DialogKind::Question, About::Erase(what)) => {
            if let EraseScope::Message { message } = &what {
                history::leaving(pages, *message);
            }
            send(pages, Request::HistoryErase { what }, |pages| {
                if let Some(ui) = pages.ui() {
                    pages.toast(ui.global::<PageWords>().get_erased());
                }
                history::erased(pages);
            });
        }
        (DialogKind::Question, About::Expiry(request)) => {
            send(pages, *request, options::read_settings);
        }
        (DialogKind::Question, About::RemovePasswords(account)) => {
            let request = Request::SavedPasswordRemove { account };
            send(pages, request, passwords::read);
        }
        (DialogKind::Password, About::ShowPassword(saved)) => {
            let request = Request::SavedPasswordShow {
                account: saved.account,
                passphrase: Secret::new(dialogs.get_text().into()),
            };
            send_for(pages, request, move |pages, reply| {
                if let (Reply::Password(password), Some(ui)) = (reply, pages.ui()) {
                    let words = ui.global::<PageWords>();
                    let title = words.invoke_password_is(saved.address.as_str().into());
                    tell(pages, title, "".into());
                    ui.global::<Dialogs>().set_note(password.expose().into());
                }
            });
        }
        (DialogKind::Question, About::Quit) => {
            close(pages);
            crate::shell::leave();
        }
        (DialogKind::Question, About::Hide) => {
            let told = dialogs.get_ticked();
            close(pages);
            crate::shell::hide(told);
        }
        (DialogKind::Question, About::RecordPlain) => {
            close(pages);
            records::record(pages, Recording::Plain);
        }
        (DialogKind::Question, About::RemoveRecord(record)) => {
            send(pages, Request::RecordRemove { record }, records::read);
        }
        (DialogKind::Question, About::Shred(import)) => {
            send_for(pages, Request::ImportShred { import }, moving::shredded);
        }
        (DialogKind::Save, About::SaveHistory(conversation)) => {
            files::save_history(pages, &ui, conversation);
        }
        (DialogKind::Save, About::SaveRecord(record)) => files::save_record(pages, &ui, record),
        (DialogKind::Path, About::OpenProfile) => files::open_profile(&ui),
        (DialogKind::Destroy, _) => ending::destroy(pages, &ui),
        (DialogKind::BackUp, _) => files::back_up(pages, &ui),
        (DialogKind::Restore, _) => files::restore(pages, &ui),
        (DialogKind::Question, About::Lower(scope, policy)) => {
            close(pages);
            codes::set(pages, scope, policy);
        }
        (DialogKind::Bring, _) => {
            let folder = dialogs.get_text();
            let Some(request) = codes::import(Path::new(folder.trim())) else {
                return dialogs.set_error(ui.global::<PageWords>().get_nothing_to_bring());
            };
            send(pages, request, |pages| {
                codes::read(pages);
                done(pages, |words| words.get_brought());
            });
        }
        (DialogKind::Question, About::Link(link)) => {
            close(pages);
            if let Err(error) = crate::platform::open_link(&link) {
                pages.toast(error.to_string().into());
            }
        }
        (DialogKind::Proxy, _) => use_proxy(pages, &ui),
        (DialogKind::Picture, _) => match portrait::read(Path::new(dialogs.get_text().trim())) {
            Some(png) => {
                account::set_picture(pages, Some(png));
                close(pages);
            }
            None => dialogs.set_error(ui.global::<PageWords>().get_bad_picture()),
        },
        _ => close(pages),
    }
}

fn change_passphrase(pages: &Pages, ui: &AppWindow) {
    let dialogs = ui.global::<Dialogs>();
    let Some(passphrase) = twice(ui) else { return };
    let had = dialogs.get_ticked();
    let current = had.then(|| Secret::new(dialogs.get_text3().into()));
    let request = Request::ProfileProtect {
        current,
        protection: Protection::Passphrase { passphrase },
    };
    send(pages, request, move |pages| {
        done(pages, |words| {
            if had {
                words.get_passphrase_changed()
            } else {
                words.get_passphrase_set()
            }
        });
    });
}

/// The new secret, if it was typed twice alike.
pub(super) fn twice(ui: &AppWindow) -> Option<Secret> {
    let dialogs = ui.global::<Dialogs>();
    let words = ui.global::<PageWords>();
    let fresh = dialogs.get_text();
    if fresh.is_empty() {
        dialogs.set_error(words.get_nothing_typed());
        return None;
    }
    if fresh != dialogs.get_text2() {
        dialogs.set_error(words.get_differ());
        return None;
    }
    Some(Secret::new(fresh.into()))
}

fn use_proxy(pages: &Pages, ui: &AppWindow) {
    let dialogs = ui.global::<Dialogs>();
    let proxy = account::proxy_of(
        dialogs.get_current(),
        &dialogs.get_text(),
        &dialogs.get_text2(),
        "",
        "",
        None,
    );
    match proxy {
        Some(proxy) => {
            pages.state.borrow_mut().sign_in.settings.proxy = proxy;
            sign_in::tell_settings(pages);
            close(pages);
        }
        None if dialogs.get_text().trim().is_empty() => {
            dialogs.set_error(ui.global::<PageWords>().get_bad_host())
        }
        None => dialogs.set_error2(ui.global::<PageWords>().get_bad_port()),
    }
}

/// Sends the dialog's request; a refusal stands in the dialog and what was typed stays.
pub(super) fn send(pages: &Pages, request: Request, then: impl FnOnce(&Pages) + Send + 'static) {
    send_for(pages, request, |pages, _| then(pages));
}

/// The same, for an answer that is shown.
fn send_for(pages: &Pages, request: Request, then: impl FnOnce(&Pages, Reply) + Send + 'static) {
    if let Some(ui) = pages.ui() {
        ui.global::<Dialogs>().set_busy(true);
    }
    pages.ask(request, |pages, result| {
        let Some(ui) = pages.ui() else { return };
        let dialogs = ui.global::<Dialogs>();
        dialogs.set_busy(false);
        match result {
            Ok(reply) => {
                close(pages);
                then(pages, reply);
            }
            Err(error)
                if error.field == Some(Field::Passphrase)
                    && dialogs.get_kind() == DialogKind::ChangePassphrase =>
            {
                dialogs.set_error2(error.message.into());
            }
            // Only the passphrase of the profile can be wrong: that of the file is new.
            Err(error)
                if error.field == Some(Field::Passphrase)
                    && dialogs.get_kind() == DialogKind::BackUp =>
            {
                dialogs.set_error3(error.message.into());
            }
            Err(error) => dialogs.set_error(error.message.into()),
        }
    });
}

fn done(pages: &Pages, word: impl FnOnce(&PageWords<'_>) -> SharedString) {
    if let Some(ui) = pages.ui() {
        pages.toast(word(&ui.global::<PageWords>()));
    }
    pages.read_profile();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_is_selected_without_its_folder_and_ending() {
        let name = |path: &'static str| path.get(name_in(path)).unwrap();
        assert_eq!(
            name("/home/sara/Leila Haddad 2026-11-26.txt"),
            "Leila Haddad 2026-11-26"
        );
        assert_eq!(name("/home/sara.k/ليلى.txt"), "ليلى");
        assert_eq!(name("/home/sara/.purple"), ".purple");
        assert_eq!(name("/home/sara.k/notes"), "notes");
        assert_eq!(name("notes.txt"), "notes");
        assert_eq!(name("/home/sara/"), "");
        assert_eq!(name(""), "");
    }
}
