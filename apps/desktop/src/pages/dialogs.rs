//! The dialogs of the pages: one at a time, the gravest first, each answered by the person.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use slint::{ComponentHandle, SharedString};
use sotto_api::view::{
    AccountState, AccountView, CertificateSummary, CertificateView, EraseScope, ErasedView, Expiry,
    OwnKeyView, PeerKeyView, Policy, PolicyScope, QuestionView, Record, Recording,
    SavedPasswordView, Trust,
};
use sotto_api::{
    AccountId, CertificateAnswer, ConversationId, Field, ImportId, PeerKeyId, Protection,
    QuestionId, Reply, Request, Secret, Timestamp,
};

use super::{
    EXPIRIES, Pages, account, codes, ending, expiry_words, files, history, model, moving, options,
    passphrase, passwords, portrait, records, sign_in, with,
};
use crate::{AppWindow, CertificateLine, DialogKind, Dialogs, PageWords, Words};

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
    /// Put aside by the person with *Later* or Esc: asked again only when something changed.
    put_aside: BTreeSet<i64>,
    /// The state in which an account's password was last asked for.
    asked: BTreeMap<AccountId, String>,
}

pub(super) fn wire(ui: &AppWindow) {
    let dialogs = ui.global::<Dialogs>();
    dialogs.on_accept(|| with(accept));
    dialogs.on_other(|| with(|pages| answer_certificate(pages, CertificateAnswer::ThisTime)));
    dialogs.on_third(|| with(|pages| answer_certificate(pages, CertificateAnswer::Always)));
    dialogs.on_escaped(|| with(escape));
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

/// Opens a dialog with empty fields; what it is about is remembered for its answer.
pub(super) fn open(
    pages: &Pages,
    kind: DialogKind,
    about: About,
    title: SharedString,
    lead: SharedString,
) {
    let Some(ui) = pages.ui() else { return };
    let dialogs = ui.global::<Dialogs>();
    for set in [
        Dialogs::set_note,
        Dialogs::set_error,
        Dialogs::set_error2,
        Dialogs::set_error3,
        Dialogs::set_text,
        Dialogs::set_text2,
        Dialogs::set_text3,
        Dialogs::set_text4,
        Dialogs::set_act,
        Dialogs::set_tick,
        Dialogs::set_label,
        Dialogs::set_word,
        Dialogs::set_meaning,
        Dialogs::set_pem,
    ] {
        set(&dialogs, "".into());
    }
    dialogs.set_safe(ui.global::<PageWords>().get_close());
    dialogs.set_danger(false);
    dialogs.set_risky(false);
    dialogs.set_ticked(false);
    dialogs.set_busy(false);
    dialogs.set_steps(0);
    dialogs.set_show_pem(false);
    dialogs.set_title(title);
    dialogs.set_lead(lead);
    pages.state.borrow_mut().dialogs.about = about;
    dialogs.set_kind(kind);
}

/// Closes the dialog, wipes its fields, and opens the next that waits.
pub(super) fn close(pages: &Pages) {
    open(
        pages,
        DialogKind::None,
        About::Nothing,
        "".into(),
        "".into(),
    );
    next(pages);
}

fn is_free(pages: &Pages) -> bool {
    pages
        .ui()
        .is_some_and(|ui| ui.global::<Dialogs>().get_kind() == DialogKind::None)
}

/// One sentence to read, nothing to decide.
pub(super) fn tell(pages: &Pages, title: SharedString, text: SharedString) {
    open(pages, DialogKind::Question, About::Nothing, title, text);
}

pub(super) fn ask_proxy(pages: &Pages) {
    let proxy = pages.state.borrow().sign_in.settings.proxy.clone();
    open(
        pages,
        DialogKind::Proxy,
        About::Nothing,
        "".into(),
        "".into(),
    );
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

pub(super) fn ask_link(pages: &Pages, server: &str, link: &str) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    open(
        pages,
        DialogKind::Question,
        About::Link(link.to_owned()),
        words.invoke_open_page(server.into()),
        words.get_open_page_lead(),
    );
    let dialogs = ui.global::<Dialogs>();
    dialogs.set_note(link.into());
    dialogs.set_act(words.get_open());
    dialogs.set_safe(words.get_not_now());
}

pub(super) fn ask_remove_account(pages: &Pages, view: &AccountView) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    let title = words.invoke_remove_title(view.address.as_str().into());
    open(
        pages,
        DialogKind::Question,
        About::RemoveAccount(view.id),
        title,
        words.get_remove_lead(),
    );
    let dialogs = ui.global::<Dialogs>();
    dialogs.set_tick(words.get_erase_too());
    dialogs.set_act(words.get_remove());
    dialogs.set_safe(words.get_keep());
    dialogs.set_danger(true);
}

/// What a new own key means, before it is made.
pub(super) fn ask_new_key(pages: &Pages, key: &OwnKeyView) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    open(
        pages,
        DialogKind::Question,
        About::NewKey(key.account),
        words.invoke_new_key_title(key.address.as_str().into()),
        words.get_new_key_lead(),
    );
    let dialogs = ui.global::<Dialogs>();
    dialogs.set_act(words.get_new_key_act());
    dialogs.set_safe(words.get_keep());
    dialogs.set_danger(true);
}

/// A code in the list is marked only after the person said that they compared it.
pub(super) fn ask_verified(pages: &Pages, key: &PeerKeyView) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    let name = crate::model::isolate(&crate::model::one_line(&key.name));
    open(
        pages,
        DialogKind::Question,
        About::Verified(key.id),
        words.invoke_verified_title(name.into()),
        words.get_verified_lead(),
    );
    let dialogs = ui.global::<Dialogs>();
    dialogs.set_note(key.code.as_str().into());
    dialogs.set_act(words.get_verified_act());
    dialogs.set_safe(words.get_not_now());
}

/// Privacy was required, for everyone or on the account with `address`, and shall not be any more.
pub(super) fn ask_lower(
    pages: &Pages,
    scope: PolicyScope,
    policy: Option<Policy>,
    address: Option<&str>,
) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    open(
        pages,
        DialogKind::Question,
        About::Lower(scope, policy),
        words.invoke_lower_title(address.unwrap_or_default().into()),
        words.get_lower_lead(),
    );
    let dialogs = ui.global::<Dialogs>();
    dialogs.set_act(words.get_lower_act());
    dialogs.set_safe(words.get_as_it_is());
    dialogs.set_risky(true);
}

/// A question whose risky way destroys something.
fn ask_danger(
    pages: &Pages,
    about: About,
    (title, lead): (SharedString, SharedString),
    (act, safe): (SharedString, SharedString),
) {
    open(pages, DialogKind::Question, about, title, lead);
    let Some(ui) = pages.ui() else { return };
    let dialogs = ui.global::<Dialogs>();
    dialogs.set_act(act);
    dialogs.set_safe(safe);
    dialogs.set_danger(true);
}

/// Says what would be gone, and asks.
pub(super) fn ask_erase(pages: &Pages, title: SharedString, view: &ErasedView, what: EraseScope) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    ask_danger(
        pages,
        About::Erase(what),
        (title, view.text.as_str().into()),
        (words.get_erase_act(), words.get_keep_word()),
    );
}

/// Says that what is older goes at once, and asks.
pub(super) fn ask_expiry(pages: &Pages, expiry: Expiry, request: Request) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    let at = EXPIRIES.iter().position(|known| *known == expiry);
    let name = at
        .and_then(|at| expiry_words(&words).get(at).cloned())
        .unwrap_or_default();
    ask_danger(
        pages,
        About::Expiry(Box::new(request)),
        (words.invoke_expiry_title(name), words.get_expiry_lead()),
        (words.get_expiry_act(), words.get_as_it_is()),
    );
}

/// A kept password is shown only after the passphrase.
pub(super) fn ask_show_password(pages: &Pages, saved: &SavedPasswordView) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    open(
        pages,
        DialogKind::Password,
        About::ShowPassword(saved.clone()),
        words.invoke_show_password(saved.address.as_str().into()),
        words.get_show_password_lead(),
    );
    let dialogs = ui.global::<Dialogs>();
    dialogs.set_act(words.get_show_word());
    dialogs.set_safe(words.get_not_now());
    dialogs.set_label(words.get_passphrase());
}

/// Removing one kept password, or all.
pub(super) fn ask_remove_password(pages: &Pages, saved: Option<&SavedPasswordView>) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
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
    ask_danger(
        pages,
        About::RemovePasswords(saved.map(|saved| saved.account)),
        text,
        (words.get_remove(), words.get_keep_word()),
    );
}

/// What plain capture files mean.
pub(super) fn ask_record_plain(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    open(
        pages,
        DialogKind::Question,
        About::RecordPlain,
        words.get_records_plain(),
        words.get_records_plain_lead(),
    );
    let dialogs = ui.global::<Dialogs>();
    dialogs.set_act(words.get_records_plain_act());
    dialogs.set_safe(words.get_as_it_is());
    dialogs.set_risky(true);
}

pub(super) fn ask_remove_record(pages: &Pages, record: Record) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    let title = match record {
        Record::Stanzas => words.get_records_remove(),
        Record::Log => words.get_log_remove(),
    };
    ask_danger(
        pages,
        About::RemoveRecord(record),
        (title, words.get_records_remove_lead()),
        (words.get_remove(), words.get_keep_word()),
    );
}

/// What shredding can and cannot do, once more.
pub(super) fn ask_shred(pages: &Pages, import: ImportId, text: &str) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    ask_danger(
        pages,
        About::Shred(import),
        (words.invoke_shred_title(), text.into()),
        (words.get_shred_act(), words.get_leave_them()),
    );
}

/// Closes the dialog and forgets every question: the profile is locked.
pub(super) fn forget(pages: &Pages) {
    pages.state.borrow_mut().dialogs = DialogState::default();
    open(
        pages,
        DialogKind::None,
        About::Nothing,
        "".into(),
        "".into(),
    );
    if let Some(ui) = pages.ui() {
        ui.global::<Dialogs>().set_lines(model(Vec::new()));
    }
}

/// Asks where the keys of another program lie.
pub(super) fn ask_bring(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    open(
        pages,
        DialogKind::Bring,
        About::Nothing,
        words.get_bring(),
        words.get_bring_lead(),
    );
}

pub(super) fn ask_passphrase(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    let has = ui.global::<crate::Passwords>().get_has_passphrase();
    open(
        pages,
        DialogKind::ChangePassphrase,
        About::Nothing,
        words.invoke_choose_passphrase(has),
        "".into(),
    );
    let dialogs = ui.global::<Dialogs>();
    dialogs.set_ticked(has);
    dialogs.set_label(words.get_new_passphrase());
}

pub(super) fn ask_remove_passphrase(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    open(
        pages,
        DialogKind::Password,
        About::RemovePassphrase,
        words.get_remove_passphrase(),
        words.get_remove_passphrase_lead(),
    );
    let dialogs = ui.global::<Dialogs>();
    dialogs.set_act(words.get_remove());
    dialogs.set_safe(words.get_keep());
    dialogs.set_danger(true);
    dialogs.set_label(words.get_passphrase());
}

pub(super) fn ask_new_password(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    let Some(view) = pages.state.borrow().editing.clone() else {
        return;
    };
    let title = words.invoke_change_password(view.address.as_str().into());
    open(
        pages,
        DialogKind::ChangePassword,
        About::NewPassword(view.id),
        title,
        words.get_change_password_lead(),
    );
    ui.global::<Dialogs>().set_label(words.get_new_password());
}

pub(super) fn ask_picture(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    open(
        pages,
        DialogKind::Picture,
        About::Nothing,
        words.get_picture(),
        words.get_picture_lead(),
    );
}

/// Asks for an account's password; its problem, if it has one, stands above the field.
pub(super) fn ask_password(pages: &Pages, view: &AccountView) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    let title = words.invoke_password_of(view.address.as_str().into());
    let lead: SharedString = view
        .problem
        .as_ref()
        .map(|p| p.text.as_str())
        .unwrap_or_default()
        .into();
    open(
        pages,
        DialogKind::Password,
        About::Password(view.id),
        title,
        lead,
    );
    let dialogs = ui.global::<Dialogs>();
    dialogs.set_act(words.get_sign_in());
    dialogs.set_safe(words.get_stay_offline());
    dialogs.set_label(words.get_password());
    dialogs.set_tick(words.get_remember());
    dialogs.set_ticked(true);
}

/// Reads the questions that wait, and shows the first if nothing else is open.
pub(super) fn read_questions(pages: &Pages) {
    pages.ask(Request::QuestionList {}, |pages, result| {
        if let Ok(Reply::Questions(questions)) = result {
            let about = {
                let mut state = pages.state.borrow_mut();
                let open: BTreeSet<i64> = questions.iter().map(|q| id(q).0).collect();
                state.dialogs.put_aside.retain(|q| open.contains(q));
                state.dialogs.questions = questions;
                state.dialogs.about.clone()
            };
            // Answered elsewhere, by another shell: the dialog has nothing more to ask.
            if let About::Certificate(question) = about
                && !pages
                    .state
                    .borrow()
                    .dialogs
                    .questions
                    .iter()
                    .any(|q| id(q) == question)
            {
                close(pages);
            } else {
                next(pages);
            }
        }
    });
}

/// Shows again what was put aside.
pub(super) fn ask_again(pages: &Pages) {
    pages.state.borrow_mut().dialogs.put_aside.clear();
    read_questions(pages);
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
    let question = {
        let state = pages.state.borrow();
        let dialogs = &state.dialogs;
        dialogs
            .questions
            .iter()
            .find(|q| !dialogs.put_aside.contains(&id(q).0))
            .cloned()
    };
    if let Some(QuestionView::Certificate {
        id,
        domain,
        reason,
        now,
        before,
        ..
    }) = question
    {
        return show_certificate(pages, id, &domain, &reason, &now, before.as_deref());
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

fn id(question: &QuestionView) -> QuestionId {
    match question {
        QuestionView::Certificate { id, .. } => *id,
        _ => QuestionId(-1),
    }
}

fn show_certificate(
    pages: &Pages,
    question: QuestionId,
    domain: &str,
    reason: &str,
    now: &CertificateView,
    before: Option<&CertificateSummary>,
) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    let title = words.invoke_other_certificate(domain.into(), before.is_some());
    open(
        pages,
        DialogKind::Certificate,
        About::Certificate(question),
        title,
        reason.into(),
    );
    let date = |at: Timestamp| -> SharedString {
        let Ok(at) = jiff::Timestamp::from_millisecond(at.0) else {
            return "?".into();
        };
        let at = at.to_zoned(jiff::tz::TimeZone::UTC);
        ui.global::<Words>().invoke_date_year(
            at.day().into(),
            at.month().into(),
            at.year().to_string().into(),
        )
    };
    let valid =
        |c: &CertificateSummary| words.invoke_from_to(date(c.not_before), date(c.not_after));
    let names = if now.names.is_empty() {
        now.summary.subject.clone()
    } else {
        now.names.join(", ")
    };
    let line =
        |label: SharedString, before: Option<SharedString>, now: SharedString| CertificateLine {
            label,
            differs: before.as_ref().is_some_and(|b| *b != now),
            before: before.unwrap_or_default(),
            now,
        };
    let dialogs = ui.global::<Dialogs>();
    dialogs.set_has_before(before.is_some());
    dialogs.set_note(words.get_ask_operators());
    dialogs.set_pem(now.pem.as_str().into());
    dialogs.set_lines(model(vec![
        line(
            words.get_for_whom(),
            before.map(|b| b.subject.as_str().into()),
            if before.is_some() {
                now.summary.subject.as_str().into()
            } else {
                names.into()
            },
        ),
        line(
            words.get_issued_by(),
            before.map(|b| b.issuer.as_str().into()),
            now.summary.issuer.as_str().into(),
        ),
        line(words.get_valid(), before.map(valid), valid(&now.summary)),
        line(
            words.get_print(),
            before.map(|b| print_of(&b.sha256).into()),
            print_of(&now.summary.sha256).into(),
        ),
    ]));
}

/// Sixteen groups of four digits, four groups a line, to be read aloud.
fn print_of(hex: &str) -> String {
    let digits: Vec<char> = hex
        .chars()
        .filter(char::is_ascii_hexdigit)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let groups: Vec<String> = digits.chunks(4).map(|g| g.iter().collect()).collect();
    groups
        .chunks(4)
        .map(|line| line.join(" "))
        .collect::<Vec<_>>()
        .join("\n")
}

fn answer_certificate(pages: &Pages, answer: CertificateAnswer) {
    let about = pages.state.borrow().dialogs.about.clone();
    if let About::Certificate(question) = about {
        pages
            .state
            .borrow_mut()
            .dialogs
            .questions
            .retain(|q| id(q) != question);
        pages.ask(
            Request::CertificateAnswer { question, answer },
            |pages, result| {
                if let Err(error) = result {
                    pages.toast(error.message.into());
                }
            },
        );
        close(pages);
    }
}

/// The safest way out.
fn escape(pages: &Pages) {
    let about = pages.state.borrow().dialogs.about.clone();
    match about {
        About::Certificate(_) => answer_certificate(pages, CertificateAnswer::Reject),
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
                done(pages, |words| words.get_passphrase_removed())
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
    fn a_fingerprint_reads_as_four_lines_of_four_groups() {
        let print = print_of(&"0a1B".repeat(16));
        assert_eq!(print.lines().count(), 4);
        assert_eq!(print.lines().next(), Some("0A1B 0A1B 0A1B 0A1B"));
    }
}
