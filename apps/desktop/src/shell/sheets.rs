//! The dialogs of the main window: what they ask, and what their answers do.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use slint::{ModelRc, VecModel};
use sotto_api::view::SubscriptionView;
use sotto_api::{AccountId, ContactId, MessageId, Reply, Request, SubscriptionAnswer};

use super::{Shell, list, talk, with_shell};
use crate::model::{Wording, isolate, one_line, when};
use crate::pages::Pages;
use crate::platform;
use crate::ui::{self, RequestRow, Sheet};

#[derive(Default)]
pub(super) struct Sheets {
    /// Whom the open dialog is about, as it was when it opened: a change of conversation meanwhile
    /// must not turn the answer to somebody else.
    subject: RefCell<Option<Subject>>,
    requests: RefCell<Vec<SubscriptionView>>,
    accounts: RefCell<Vec<AccountId>>,
    round: Cell<u64>,
}

#[derive(Clone)]
struct Subject {
    account: AccountId,
    address: String,
    contact: Option<ContactId>,
}

pub(super) fn wire(shell: &Rc<Shell>) {
    let ask = shell.part::<ui::Ask>();
    ask.on_cancelled(|| with_shell(|shell| shell.show_sheet(Sheet::None)));
    ask.on_done(|| with_shell(done));
    ask.on_answer(|index, answer| with_shell(|shell| answer_request(shell, index, answer)));
}

/// Acts that open a dialog.
pub(super) fn act(shell: &Rc<Shell>, act: &str) {
    match act {
        "link-copy" => {
            let address = shell.part::<ui::Ask>().get_address();
            shell.part::<ui::App>().invoke_copy(address);
            let copied = shell.part::<ui::Words>().get_address_copied();
            shell.toast(&copied);
            shell.show_sheet(Sheet::None);
        }
        "person-add" => open_add(shell, "", ""),
        "stranger-add" => {
            if let Some(view) = shell.talk.view() {
                open_add(shell, &view.address, &view.contact.name);
            }
        }
        "person-rename" => open_about(shell, Sheet::PersonRename),
        "person-groups" => open_about(shell, Sheet::PersonGroups),
        "person-remove" => open_about(shell, Sheet::PersonRemove),
        "person-block" => open_about(shell, Sheet::PersonBlock),
        "person-unblock" => {
            if let Some(view) = shell.talk.view() {
                shell.tell(Request::Block {
                    account: view.account,
                    address: view.address,
                    blocked: false,
                });
            }
        }
        "privacy" => open_about(shell, Sheet::Privacy),
        "requests" => {
            if !shell.sheets.requests.borrow().is_empty() {
                shell.show_sheet(Sheet::Requests);
            }
        }
        "status-line" => {
            let text = shell
                .accounts
                .borrow()
                .first()
                .map(|account| account.status_text.clone())
                .unwrap_or_default();
            clear(shell);
            shell.part::<ui::Ask>().set_text(text.into());
            shell.show_sheet(Sheet::StatusLine);
        }
        "shortcuts" => shell.show_sheet(Sheet::Shortcuts),
        "about" => shell.show_sheet(Sheet::About),
        other => {
            if !talk::private_act(shell, other) {
                Pages::act(other);
            }
        }
    }
}

/// Forgets whom dialogs were about: the profile is locked.
pub(super) fn forget(shell: &Rc<Shell>) {
    clear(shell);
    let ask = shell.part::<ui::Ask>();
    ask.set_name(Default::default());
    ask.set_address(Default::default());
    ask.set_options(ModelRc::default());
    ask.set_requests(ModelRc::default());
    shell.sheets.subject.replace(None);
    shell.sheets.requests.replace(Vec::new());
    shell.sheets.accounts.replace(Vec::new());
}

fn clear(shell: &Rc<Shell>) {
    shell.sheets.round.set(shell.sheets.round.get() + 1);
    let ask = shell.part::<ui::Ask>();
    ask.set_error(Default::default());
    ask.set_error2(Default::default());
    ask.set_text(Default::default());
    ask.set_text2(Default::default());
    ask.set_warning(Default::default());
    ask.set_busy(false);
}

fn open_add(shell: &Rc<Shell>, address: &str, name: &str) {
    let Some(default) = list::default_account(shell) else {
        let words = shell.part::<ui::Words>().get_offline_account();
        shell.toast(&words);
        return;
    };
    clear(shell);
    let ask = shell.part::<ui::Ask>();
    {
        let accounts = shell.accounts.borrow();
        let names: Vec<slint::SharedString> =
            accounts.iter().map(|a| a.address.as_str().into()).collect();
        let at = accounts
            .iter()
            .position(|a| a.id == default)
            .unwrap_or_default();
        shell
            .sheets
            .accounts
            .replace(accounts.iter().map(|a| a.id).collect());
        ask.set_options(ModelRc::new(VecModel::from(names)));
        ask.set_option(i32::try_from(at).unwrap_or_default());
    }
    ask.set_text(address.into());
    ask.set_text2(if name == address { "" } else { name }.into());
    shell.show_sheet(Sheet::PersonAdd);
}

/// Opens a dialog about the person of the open conversation.
fn open_about(shell: &Rc<Shell>, sheet: Sheet) {
    let Some(view) = shell.talk.view() else {
        return;
    };
    if view.contact_id.is_none() && !matches!(sheet, Sheet::PersonBlock | Sheet::Privacy) {
        return;
    }
    clear(shell);
    let ask = shell.part::<ui::Ask>();
    ask.set_name(isolate(&one_line(&view.contact.name)).into());
    ask.set_address(view.address.as_str().into());
    match sheet {
        Sheet::PersonRename => ask.set_text(view.contact.name.as_str().into()),
        Sheet::PersonGroups => ask.set_text(view.contact.groups.join(", ").into()),
        Sheet::Privacy => {
            let connection = shell
                .accounts
                .borrow()
                .iter()
                .find(|account| account.id == view.account)
                .map(|account| account.connection.clone())
                .unwrap_or_default();
            shell.part::<ui::Talk>().set_connection(connection.into());
        }
        _ => {}
    }
    shell.sheets.subject.replace(Some(Subject {
        account: view.account,
        address: view.address.clone(),
        contact: view.contact_id,
    }));
    shell.show_sheet(sheet);
}

/// Asks whether a link may be opened, showing where it really leads.
pub(super) fn ask_link(shell: &Rc<Shell>, message: MessageId, number: usize) {
    let Some(message) = shell.talk.message(message) else {
        return;
    };
    let Some(link) = message.links.get(number) else {
        return;
    };
    clear(shell);
    let ask = shell.part::<ui::Ask>();
    ask.set_name(isolate(&one_line(&message.author)).into());
    ask.set_address(link.target.as_str().into());
    ask.set_warning(link.warning.as_str().into());
    shell.show_sheet(Sheet::Link);
}

fn done(shell: &Rc<Shell>) {
    let ask = shell.part::<ui::Ask>();
    let text = ask.get_text().trim().to_owned();
    let subject = shell.sheets.subject.borrow().clone();
    let contact = subject.as_ref().and_then(|subject| subject.contact);
    let request = match shell.part::<ui::App>().get_sheet() {
        Sheet::Link => {
            let target = ask.get_address();
            shell.show_sheet(Sheet::None);
            if let Err(words) = platform::open_link(&target) {
                shell.toast(&words);
            }
            return;
        }
        Sheet::PersonAdd => {
            let account = usize::try_from(ask.get_option())
                .ok()
                .and_then(|at| shell.sheets.accounts.borrow().get(at).copied());
            account.map(|account| Request::ContactAdd {
                account,
                address: text,
                name: ask.get_text2().trim().to_owned(),
                groups: Vec::new(),
            })
        }
        Sheet::PersonRename => contact.map(|contact| Request::ContactRename {
            contact,
            name: text,
        }),
        Sheet::PersonGroups => contact.map(|contact| Request::ContactMove {
            contact,
            groups: text
                .split([',', '،'])
                .map(str::trim)
                .filter(|group| !group.is_empty())
                .map(str::to_owned)
                .collect(),
        }),
        Sheet::PersonRemove => contact.map(|contact| Request::ContactRemove { contact }),
        Sheet::PersonBlock => subject.map(|subject| Request::Block {
            account: subject.account,
            address: subject.address,
            blocked: true,
        }),
        Sheet::StatusLine => {
            let availability = shell
                .accounts
                .borrow()
                .first()
                .map(|account| account.availability)
                .unwrap_or_default();
            Some(Request::StatusSet {
                account: None,
                availability,
                text,
            })
        }
        _ => None,
    };
    let Some(request) = request else {
        shell.show_sheet(Sheet::None);
        return;
    };
    ask.set_busy(true);
    let round = shell.sheets.round.get();
    shell.ask(request, move |shell, answer| {
        let ask = shell.part::<ui::Ask>();
        if shell.sheets.round.get() != round {
            return;
        }
        ask.set_busy(false);
        match answer {
            Ok(reply) => {
                shell.show_sheet(Sheet::None);
                if let Reply::Contact(contact) = reply
                    && let Some(conversation) = contact.conversation
                {
                    talk::open_conversation(shell, conversation, None, true);
                }
                list::reload(shell);
            }
            Err(error) => ask.set_error(error.message.as_str().into()),
        }
    });
}

/// Reads who asks to see my presence.
pub(super) fn reload_requests(shell: &Rc<Shell>) {
    shell.ask(Request::SubscriptionList {}, |shell, answer| {
        let Ok(Reply::SubscriptionRequests(requests)) = answer else {
            return;
        };
        let words = super::WindowWords::of(shell.window());
        let rows: Vec<RequestRow> = requests
            .iter()
            .map(|request| RequestRow {
                address: request.address.as_str().into(),
                nickname: one_line(&request.nickname).into(),
                text: one_line(&request.text).into(),
                when: words
                    .when(&when(request.at, shell.now(), &shell.zone))
                    .into(),
            })
            .collect();
        shell
            .part::<ui::People>()
            .set_requests(i32::try_from(rows.len()).unwrap_or(i32::MAX));
        if rows.is_empty() && shell.part::<ui::App>().get_sheet() == Sheet::Requests {
            shell.show_sheet(Sheet::None);
        }
        shell
            .part::<ui::Ask>()
            .set_requests(ModelRc::new(VecModel::from(rows)));
        shell.sheets.requests.replace(requests);
    });
}

fn answer_request(shell: &Rc<Shell>, index: i32, answer: i32) {
    let request = usize::try_from(index)
        .ok()
        .and_then(|at| shell.sheets.requests.borrow().get(at).cloned());
    if let Some(request) = request {
        let answer = match answer {
            0 => SubscriptionAnswer::Accept,
            1 => SubscriptionAnswer::Refuse,
            _ => SubscriptionAnswer::Block,
        };
        shell.ask(
            Request::SubscriptionAnswer {
                account: request.account,
                address: request.address,
                answer,
            },
            |shell, answer| {
                if let Err(error) = answer {
                    shell.toast(&error.message);
                }
                reload_requests(shell);
                list::reload(shell);
            },
        );
    }
}
