//! One box per network, several accounts at once.

use slint::{ComponentHandle, Model};
use sotto_api::view::{NetworkStatus, NetworkView};
use sotto_api::{AccountSettings, Field, Reply, Request, Secret};

use super::{Pages, account, change, create, dialogs, model, with};
use crate::{AppWindow, ClosedNetwork, NetworkBox, Page, PageWords, SignIn};

#[derive(Default)]
pub(super) struct SignInState {
    /// For the accounts signed in or made from these pages.
    pub(super) settings: AccountSettings,
    instead: Vec<(String, String)>,
    waiting: usize,
    refused: bool,
}

pub(super) fn wire(ui: &AppWindow) {
    let page = ui.global::<SignIn>();
    page.on_typed(|index, address, password, remember| {
        with(|pages| {
            let Some(ui) = pages.ui() else { return };
            let boxes = ui.global::<SignIn>().get_boxes();
            change(
                &boxes,
                usize::try_from(index).unwrap_or(usize::MAX),
                |row| {
                    row.address = address;
                    row.password = password;
                    row.remember = remember;
                    row.address_error = "".into();
                    row.password_error = "".into();
                },
            );
        });
    });
    page.on_sign_in(|| with(sign_in));
    page.on_create(|_network| with(create::show));
    page.on_explain(|index| {
        with(|pages| explain(pages, usize::try_from(index).unwrap_or(usize::MAX)))
    });
    page.on_advanced(|| with(account::show_fresh));
    page.on_proxy(|| with(dialogs::ask_proxy));
    page.on_leave(|| with(|pages| pages.show(Page::Main)));
}

/// Nothing that was typed stays behind the pages: the profile is locked.
pub(super) fn forget(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    ui.global::<SignIn>().set_boxes(model(Vec::new()));
    create::forget(pages);
}

pub(super) fn show(pages: &Pages) {
    pages.ask(Request::NetworkList {}, |pages, result| {
        if let Ok(Reply::Networks(networks)) = result {
            fill(pages, &networks);
            pages.show(Page::SignIn);
        }
    });
}

fn fill(pages: &Pages, networks: &[NetworkView]) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<SignIn>();
    let mut boxes = Vec::new();
    let mut closed = Vec::new();
    let mut instead = Vec::new();
    for network in networks {
        match &network.status {
            NetworkStatus::Active | NetworkStatus::Planned => boxes.push(NetworkBox {
                id: network.id.as_str().into(),
                name: network.name.as_str().into(),
                summary: network.summary.as_str().into(),
                example: network.example.as_str().into(),
                can_register: network.can_register,
                planned: network.status == NetworkStatus::Planned,
                remember: true,
                ..NetworkBox::default()
            }),
            NetworkStatus::Withdrawn {
                reason,
                instead: what,
                ..
            } => {
                closed.push(ClosedNetwork {
                    name: network.name.as_str().into(),
                    reason: reason.as_str().into(),
                    instead: what.as_str().into(),
                });
                instead.push((network.name.clone(), what.clone()));
            }
        }
    }
    page.set_boxes(model(boxes));
    page.set_closed(model(closed));
    page.set_error("".into());
    let mut state = pages.state.borrow_mut();
    state.sign_in.instead = instead;
    page.set_can_leave(!state.accounts.is_empty());
}

/// Says on the page what the settings for new accounts are, in a few words.
pub(super) fn tell_settings(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let state = pages.state.borrow();
    let settings = &state.sign_in.settings;
    let server = settings
        .server
        .as_ref()
        .map(|s| format!("{}:{}", s.host, s.port));
    let proxy = settings
        .proxy
        .as_ref()
        .map(|p| format!("{}:{}", p.host, p.port));
    let words: Vec<String> = [server, proxy].into_iter().flatten().collect();
    ui.global::<SignIn>().set_settings(words.join(" · ").into());
}

fn explain(pages: &Pages, index: usize) {
    let found = pages.state.borrow().sign_in.instead.get(index).cloned();
    let Some(((name, what), ui)) = found.zip(pages.ui()) else {
        return;
    };
    let words = ui.global::<PageWords>();
    dialogs::tell(pages, words.invoke_instead_of(name.into()), what.into());
}

fn sign_in(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<SignIn>();
    let boxes = page.get_boxes();
    let filled: Vec<(usize, NetworkBox)> = boxes
        .iter()
        .enumerate()
        .filter(|(_, b)| !b.planned && !b.address.trim().is_empty())
        .collect();
    if filled.is_empty() {
        page.set_error(ui.global::<PageWords>().get_no_account());
        return;
    }
    page.set_error("".into());
    page.set_busy(true);
    let settings = {
        let mut state = pages.state.borrow_mut();
        state.sign_in.waiting = filled.len();
        state.sign_in.refused = false;
        state.sign_in.settings.clone()
    };
    for (index, row) in filled {
        change(&boxes, index, |b| b.busy = true);
        let request = Request::AccountAdd {
            network: row.id.into(),
            address: row.address.trim().to_owned(),
            password: (!row.password.is_empty()).then(|| Secret::new(row.password.into())),
            remember: row.remember,
            settings: settings.clone(),
        };
        pages.ask(request, move |pages, result| {
            let Some(ui) = pages.ui() else { return };
            let page = ui.global::<SignIn>();
            let refusal = result.err();
            change(&page.get_boxes(), index, |b| {
                b.busy = false;
                match &refusal {
                    // Only what was accepted is emptied; the rest keeps what was typed.
                    None => {
                        b.address = "".into();
                        b.password = "".into();
                    }
                    Some(e) if e.field == Some(Field::Password) => {
                        b.password_error = e.message.as_str().into()
                    }
                    Some(e) => b.address_error = e.message.as_str().into(),
                }
            });
            let done = {
                let mut state = pages.state.borrow_mut();
                state.sign_in.refused |= refusal.is_some();
                state.sign_in.waiting = state.sign_in.waiting.saturating_sub(1);
                state.sign_in.waiting == 0
            };
            if done {
                page.set_busy(false);
                if !pages.state.borrow().sign_in.refused {
                    pages.read_accounts(|pages| pages.show(Page::Main));
                }
            }
        });
    }
}
