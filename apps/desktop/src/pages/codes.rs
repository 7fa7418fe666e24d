//! Options, Security, Chat: policies, own codes and those of others.

use std::path::Path;

use slint::{ComponentHandle, SharedString};
use sotto_api::view::{OwnKeyView, OwnPolicyView, PeerKeyView, Policy, PolicyScope, Trust};
use sotto_api::{Reply, Request, Secret};

use super::{Pages, dialogs, model, options, with};
use crate::model::{isolate, one_line, spell_code};
use crate::{AccountPolicyRow, AppWindow, Codes, OwnKeyRow, PeerKeyRow, PolicyRow};

/// A libotr file is larger than this only if it is none.
const LARGEST: u64 = 4 << 20;

/// What the page shows, as last read.
#[derive(Default)]
pub(super) struct CodesState {
    global: Policy,
    own: Vec<OwnPolicyView>,
    /// Settings that the person wants to leave as they are, while the page is open.
    left: Vec<PolicyScope>,
    mine: Vec<OwnKeyView>,
    others: Vec<PeerKeyView>,
}

pub(super) fn wire(ui: &AppWindow) {
    let page = ui.global::<Codes>();
    page.on_policy_chosen(|index| with(|pages| choose(pages, index)));
    page.on_follow(|index| {
        with(|pages| {
            if let Some(own) = own_at(pages, index) {
                set(pages, own.scope, None);
            }
        });
    });
    page.on_leave(|index| {
        with(|pages| {
            if let Some(own) = own_at(pages, index) {
                pages.state.borrow_mut().codes.left.push(own.scope);
                read_policies(pages);
            }
        });
    });
    page.on_account_policy(|index, policy| with(|pages| account(pages, index, policy)));
    page.on_kept(|| with(save));
    page.on_v2(|| with(save));
    page.on_show(|| {
        with(|pages| {
            if let Some(ui) = pages.ui() {
                ui.global::<Codes>().set_open(true);
            }
            read_keys(pages);
        });
    });
    page.on_renew(|index| {
        with(|pages| {
            let state = pages.state.borrow();
            let key = usize::try_from(index)
                .ok()
                .and_then(|at| state.codes.mine.get(at).cloned());
            drop(state);
            if let Some(key) = key {
                dialogs::ask_new_key(pages, &key);
            }
        });
    });
    page.on_verify(|index| {
        with(|pages| {
            if let Some(key) = key_at(pages, index) {
                dialogs::ask_verified(pages, &key);
            }
        });
    });
    page.on_distrust(|index| {
        with(|pages| {
            if let Some(key) = key_at(pages, index) {
                let request = Request::PeerKeyTrust {
                    key: key.id,
                    trust: Trust::Distrusted,
                };
                pages.ask(request, |pages, result| {
                    options::complain(pages, result.err());
                    read_keys(pages);
                });
            }
        });
    });
    page.on_forget(|index| {
        with(|pages| {
            if let Some(key) = key_at(pages, index) {
                pages.ask(Request::PeerKeyForget { key: key.id }, |pages, result| {
                    options::complain(pages, result.err());
                    read_keys(pages);
                });
            }
        });
    });
    page.on_bring(|| with(dialogs::ask_bring));
}

/// Reads everything that the section shows.
pub(super) fn read(pages: &Pages) {
    read_policies(pages);
    read_keys(pages);
}

/// The section is opened anew.
pub(super) fn open(pages: &Pages) {
    pages.state.borrow_mut().codes.left.clear();
    if let Some(ui) = pages.ui() {
        ui.global::<Codes>().set_open(false);
    }
    read(pages);
}

pub(super) fn fill_settings(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Codes>();
    let state = pages.state.borrow();
    page.set_keep_private(state.settings.keep_private);
    page.set_allow_v2(state.settings.allow_otr_v2);
}

/// Nothing of anybody stays behind the page: the profile is locked.
pub(super) fn forget(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Codes>();
    page.set_open(false);
    page.set_own(model(Vec::new()));
    page.set_accounts(model(Vec::new()));
    page.set_mine(model(Vec::new()));
    page.set_others(model(Vec::new()));
}

fn save(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Codes>();
    let settings = {
        let mut state = pages.state.borrow_mut();
        state.settings.keep_private = page.get_keep_private();
        state.settings.allow_otr_v2 = page.get_allow_v2();
        state.settings.clone()
    };
    pages.ask(Request::SettingsSet { settings }, |pages, result| {
        options::complain(pages, result.err());
    });
}

fn own_at(pages: &Pages, index: i32) -> Option<OwnPolicyView> {
    let state = pages.state.borrow();
    let at = usize::try_from(index).ok()?;
    shown(&state.codes).nth(at).cloned()
}

/// People with a setting of their own that the person has not said to leave.
fn shown(codes: &CodesState) -> impl Iterator<Item = &OwnPolicyView> {
    codes.own.iter().filter(|own| {
        matches!(own.scope, PolicyScope::Conversation { .. }) && !codes.left.contains(&own.scope)
    })
}

fn key_at(pages: &Pages, index: i32) -> Option<PeerKeyView> {
    let at = usize::try_from(index).ok()?;
    pages.state.borrow().codes.others.get(at).cloned()
}

fn number(policy: Policy) -> i32 {
    match policy {
        Policy::Off => 0,
        Policy::Preferred => 1,
        Policy::Required => 2,
    }
}

fn policy_of(index: i32) -> Option<Policy> {
    match index {
        0 => Some(Policy::Off),
        1 => Some(Policy::Preferred),
        2 => Some(Policy::Required),
        _ => None,
    }
}

fn choose(pages: &Pages, index: i32) {
    let global = pages.state.borrow().codes.global;
    let Some(policy) = policy_of(index) else {
        return;
    };
    if lowers(global, policy) {
        dialogs::ask_lower(pages, PolicyScope::Global {}, Some(policy), None);
    } else {
        set(pages, PolicyScope::Global {}, Some(policy));
    }
}

fn account(pages: &Pages, index: i32, policy: i32) {
    let found = {
        let state = pages.state.borrow();
        usize::try_from(index)
            .ok()
            .and_then(|at| state.accounts.get(at))
            .map(|view| {
                let scope = PolicyScope::Account { account: view.id };
                let own = state.codes.own.iter().find(|own| own.scope == scope);
                let before = own.map_or(state.codes.global, |own| own.policy);
                (scope, before, view.address.clone(), state.codes.global)
            })
    };
    let Some((scope, before, address, global)) = found else {
        return;
    };
    let policy = policy_of(policy - 1);
    if lowers(before, policy.unwrap_or(global)) {
        dialogs::ask_lower(pages, scope, policy, Some(&address));
    } else {
        set(pages, scope, policy);
    }
}

/// What was kept back until now may leave unencrypted then.
fn lowers(before: Policy, after: Policy) -> bool {
    before == Policy::Required && after != Policy::Required
}

/// Sets a policy and reads what is in force then.
pub(super) fn set(pages: &Pages, scope: PolicyScope, policy: Option<Policy>) {
    let request = Request::PolicySet {
        scope,
        policy,
        follow: false,
    };
    pages.ask(request, |pages, result| {
        options::complain(pages, result.err());
        read_policies(pages);
    });
}

pub(super) fn read_policies(pages: &Pages) {
    pages.ask(Request::PolicyList {}, |pages, result| {
        let (Ok(Reply::Policies(view)), Some(ui)) = (result, pages.ui()) else {
            return;
        };
        let page = ui.global::<Codes>();
        page.set_policy(number(view.global));
        page.set_uncovered(view.uncovered.into());
        let mut state = pages.state.borrow_mut();
        state.codes.global = view.global;
        state.codes.own = view.own;
        let rows: Vec<PolicyRow> = shown(&state.codes)
            .map(|own| PolicyRow {
                name: isolate(&one_line(&own.name)).into(),
                text: isolate(&own.policy_text).into(),
            })
            .collect();
        page.set_own(model(rows));
        let accounts: Vec<AccountPolicyRow> = state
            .accounts
            .iter()
            .map(|view| AccountPolicyRow {
                address: view.address.as_str().into(),
                policy: state
                    .codes
                    .own
                    .iter()
                    .find(|own| own.scope == PolicyScope::Account { account: view.id })
                    .map_or(0, |own| number(own.policy) + 1),
            })
            .collect();
        page.set_accounts(model(accounts));
    });
}

pub(super) fn read_keys(pages: &Pages) {
    pages.ask(Request::OwnKeyList {}, |pages, result| {
        let (Ok(Reply::OwnKeys(keys)), Some(ui)) = (result, pages.ui()) else {
            return;
        };
        let rows: Vec<OwnKeyRow> = keys
            .iter()
            .map(|key| OwnKeyRow {
                address: key.address.as_str().into(),
                code: key.code.as_str().into(),
                spoken: spell_code(&key.code).into(),
                making: key.making,
            })
            .collect();
        ui.global::<Codes>().set_mine(model(rows));
        pages.state.borrow_mut().codes.mine = keys;
    });
    pages.ask(Request::PeerKeyList { account: None }, |pages, result| {
        let (Ok(Reply::PeerKeys(keys)), Some(ui)) = (result, pages.ui()) else {
            return;
        };
        let many = pages.state.borrow().accounts.len() > 1;
        let rows: Vec<PeerKeyRow> = keys
            .iter()
            .map(|key| PeerKeyRow {
                name: one_line(&key.name).into(),
                address: key.address.as_str().into(),
                account: if many {
                    key.account_address.as_str().into()
                } else {
                    SharedString::default()
                },
                code: key.code.as_str().into(),
                spoken: spell_code(&key.code).into(),
                trust: match key.trust {
                    Trust::New => 0,
                    Trust::Verified => 1,
                    Trust::Changed => 2,
                    Trust::Distrusted => 3,
                },
                trust_text: key.trust_text.as_str().into(),
                in_use: key.in_use,
            })
            .collect();
        let verified = keys
            .iter()
            .filter(|key| key.trust == Trust::Verified)
            .count();
        let page = ui.global::<Codes>();
        let figure = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        page.set_verified(figure(verified));
        page.set_unverified(figure(keys.len() - verified));
        page.set_others(model(rows));
        pages.state.borrow_mut().codes.others = keys;
    });
}

/// What libotr's programs keep in `folder`, as a request; nothing when there is none of it.
pub(super) fn import(folder: &Path) -> Option<Request> {
    let read = |name: &str| {
        let path = folder.join(name);
        let length = std::fs::metadata(&path).ok()?.len();
        (length <= LARGEST)
            .then(|| std::fs::read_to_string(path).ok())
            .flatten()
    };
    let private_key = read("otr.private_key").map(Secret::new);
    let fingerprints = read("otr.fingerprints");
    let instance_tags = read("otr.instance_tags");
    (private_key.is_some() || fingerprints.is_some() || instance_tags.is_some()).then_some(
        Request::OtrImport {
            private_key,
            fingerprints,
            instance_tags,
        },
    )
}
