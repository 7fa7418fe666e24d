//! Options: changes apply at once, there is no OK.

use slint::{ComponentHandle, Model, SharedString};
use sotto_api::view::{AccountState, AccountView, Availability, Settings, Theme};
use sotto_api::{Reply, Request};

use super::{Pages, account, codes, dialogs, keeping, model, passwords, records, sign_in, with};
use crate::{AccountRow, AppWindow, BlockedRow, Options, Page, PageWords, Presence};

pub(super) fn wire(ui: &AppWindow) {
    let page = ui.global::<Options>();
    page.on_changed(|| with(save));
    page.on_show_section(|section| with(|pages| section_is(pages, section)));
    page.on_account_enabled(|index, enabled| {
        with(|pages| {
            if let Some(view) = account_at(pages, index) {
                pages.ask(
                    Request::AccountEnable {
                        account: view.id,
                        enabled,
                    },
                    |pages, result| complain(pages, result.err()),
                );
            }
        });
    });
    page.on_account_edit(|index| {
        with(|pages| {
            if let Some(view) = account_at(pages, index) {
                account::show(pages, view);
            }
        });
    });
    page.on_account_remove(|index| {
        with(|pages| {
            if let Some(view) = account_at(pages, index) {
                dialogs::ask_remove_account(pages, &view);
            }
        });
    });
    page.on_account_help(|index| with(|pages| help(pages, index)));
    page.on_account_add(|| with(sign_in::show));
    page.on_unblock(|index| with(|pages| unblock(pages, index)));
    page.on_leave(|| with(|pages| pages.show(Page::Main)));
}

pub(super) fn show(pages: &Pages, section: Option<i32>) {
    if let Some(ui) = pages.ui() {
        let page = ui.global::<Options>();
        let section = section.unwrap_or_else(|| page.get_section());
        section_is(pages, section);
        pages.show(Page::Options);
    }
    pages.ask(Request::Version {}, |pages, result| {
        if let (Ok(Reply::Version(version)), Some(ui)) = (result, pages.ui()) {
            ui.global::<Options>().set_version(version.into());
        }
    });
}

fn section_is(pages: &Pages, section: i32) {
    if let Some(ui) = pages.ui() {
        ui.global::<Options>().set_section(section);
    }
    read_settings(pages);
    if section == 2 {
        codes::open(pages);
        passwords::open(pages);
    }
    if section == 4 {
        records::read(pages);
    }
    if section == 3 {
        read_blocked(pages);
    }
}

pub(super) fn read_settings(pages: &Pages) {
    pages.ask(Request::SettingsGet {}, |pages, result| {
        if let Ok(Reply::Settings(settings)) = result {
            pages.state.borrow_mut().settings = settings;
            fill_settings(pages);
            codes::fill_settings(pages);
            keeping::fill(pages);
            passwords::fill(pages);
            records::fill(pages);
        }
    });
}

fn fill_settings(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Options>();
    let mut state = pages.state.borrow_mut();
    let settings = state.settings.clone();
    page.set_theme(match settings.theme {
        Theme::System => 0,
        Theme::Light => 1,
        Theme::Dark => 2,
    });
    page.set_scale(i32::from(settings.scale.saturating_sub(100) / 25));
    page.set_reduced_motion(settings.reduced_motion);
    page.set_high_contrast(settings.high_contrast);
    page.set_show_offline(settings.show_offline);
    page.set_enter_sends(settings.enter_sends);
    page.set_send_typing(settings.send_typing);
    page.set_send_displayed(settings.send_displayed);
    page.set_send_receipts(settings.send_receipts);
    let languages = crate::languages::ALL;
    let mut names: Vec<SharedString> = vec![ui.global::<PageWords>().get_as_system()];
    names.extend(languages.iter().map(|l| SharedString::from(l.1)));
    page.set_languages(model(names));
    let chosen = languages
        .iter()
        .position(|l| l.0 == settings.language)
        .map_or(0, |i| i + 1);
    page.set_language(i32::try_from(chosen).unwrap_or(0));
    state.languages = languages.iter().map(|l| l.0.to_owned()).collect();
}

fn save(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Options>();
    let settings = {
        let mut state = pages.state.borrow_mut();
        let language = usize::try_from(page.get_language() - 1)
            .ok()
            .and_then(|i| state.languages.get(i).cloned());
        let settings = &mut state.settings;
        settings.theme = match page.get_theme() {
            1 => Theme::Light,
            2 => Theme::Dark,
            _ => Theme::System,
        };
        settings.scale = u16::try_from(page.get_scale().clamp(0, 4) * 25 + 100).unwrap_or(100);
        settings.language = language.unwrap_or_default();
        settings.reduced_motion = page.get_reduced_motion();
        settings.high_contrast = page.get_high_contrast();
        settings.show_offline = page.get_show_offline();
        settings.enter_sends = page.get_enter_sends();
        settings.send_typing = page.get_send_typing();
        settings.send_displayed = page.get_send_displayed();
        settings.send_receipts = page.get_send_receipts();
        settings.clone()
    };
    pages.ask(Request::SettingsSet { settings }, |pages, result| {
        complain(pages, result.err())
    });
}

/// Changes one of the settings; what could not be kept is said.
pub(super) fn set(pages: &Pages, change: impl FnOnce(&mut Settings)) {
    let settings = {
        let mut state = pages.state.borrow_mut();
        change(&mut state.settings);
        state.settings.clone()
    };
    pages.ask(Request::SettingsSet { settings }, |pages, result| {
        complain(pages, result.err());
        read_settings(pages);
    });
}

/// What the store could not keep is said, and the page goes back to what is in force.
pub(super) fn complain(pages: &Pages, error: Option<sotto_api::ApiError>) {
    if let Some(error) = error {
        pages.toast(error.message.into());
        read_settings(pages);
        pages.read_accounts(|_| {});
    }
}

pub(super) fn fill_security(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let state = pages.state.borrow();
    let Some(profile) = &state.profile else {
        return;
    };
    ui.global::<Options>()
        .set_warning(profile.warning.as_str().into());
    drop(state);
    passwords::fill(pages);
}

/// Nothing of the profile stays behind the page: it is locked.
pub(super) fn forget(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Options>();
    page.set_accounts(model(Vec::new()));
    page.set_blocked(model(Vec::new()));
    page.set_warning("".into());
    ui.global::<crate::Passwords>().set_saved(model(Vec::new()));
    ui.global::<crate::Account>().set_address("".into());
    ui.global::<crate::Account>().set_has_picture(false);
    ui.global::<crate::Account>()
        .set_picture(slint::Image::default());
}

fn account_at(pages: &Pages, index: i32) -> Option<AccountView> {
    pages
        .state
        .borrow()
        .accounts
        .get(usize::try_from(index).ok()?)
        .cloned()
}

pub(super) fn fill_accounts(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    let state = pages.state.borrow();
    let rows: Vec<AccountRow> = state
        .accounts
        .iter()
        .map(|view| AccountRow {
            id: i32::try_from(view.id.0).unwrap_or(0),
            address: view.address.as_str().into(),
            network: view.network.to_uppercase().into(),
            state: view.state_text.as_str().into(),
            presence: presence(view),
            enabled: view.enabled,
            problem: view
                .problem
                .as_ref()
                .map(|p| p.text.as_str())
                .unwrap_or_default()
                .into(),
            help: match view.state {
                AccountState::NeedsPassword => words.get_password_word(),
                AccountState::NeedsAnswer => words.get_look_word(),
                AccountState::Waiting { .. } | AccountState::Stopped => words.get_retry_word(),
                AccountState::Disabled | AccountState::Connecting | AccountState::Online => {
                    "".into()
                }
            },
        })
        .collect();
    let page = ui.global::<Options>();
    let old = page.get_accounts();
    // Rows change in place while their number stays, so that the keyboard keeps its place.
    if old.row_count() == rows.len() && old.row_count() > 0 {
        for (index, row) in rows.into_iter().enumerate() {
            if old.row_data(index).as_ref() != Some(&row) {
                old.set_row_data(index, row);
            }
        }
    } else {
        page.set_accounts(model(rows));
    }
}

fn presence(view: &AccountView) -> Presence {
    if view.state != AccountState::Online {
        return Presence::Offline;
    }
    match view.availability {
        Availability::Chat | Availability::Available => Presence::Available,
        Availability::Away | Availability::ExtendedAway => Presence::Away,
        Availability::Busy => Presence::Busy,
        Availability::Offline => Presence::Offline,
        Availability::Unknown => Presence::Unknown,
    }
}

fn help(pages: &Pages, index: i32) {
    let Some(view) = account_at(pages, index) else {
        return;
    };
    match view.state {
        AccountState::NeedsPassword => dialogs::ask_password(pages, &view),
        AccountState::NeedsAnswer => dialogs::read_questions(pages),
        _ => pages.ask(
            Request::AccountRetry {
                account: Some(view.id),
            },
            |pages, result| complain(pages, result.err()),
        ),
    }
}

fn read_blocked(pages: &Pages) {
    let accounts = pages.state.borrow().accounts.clone();
    if let Some(ui) = pages.ui() {
        ui.global::<Options>().set_blocked(model(Vec::new()));
    }
    for account in accounts {
        let own = account.address.clone();
        pages.ask(
            Request::BlockList {
                account: account.id,
            },
            move |pages, result| {
                let (Ok(Reply::Blocked(list)), Some(ui)) = (result, pages.ui()) else {
                    return;
                };
                let page = ui.global::<Options>();
                let mut rows: Vec<BlockedRow> = page.get_blocked().iter().collect();
                rows.extend(list.into_iter().map(|b| BlockedRow {
                    account: own.as_str().into(),
                    address: b.address.into(),
                }));
                page.set_blocked(model(rows));
            },
        );
    }
}

fn unblock(pages: &Pages, index: i32) {
    let Some(ui) = pages.ui() else { return };
    let row = usize::try_from(index)
        .ok()
        .and_then(|i| ui.global::<Options>().get_blocked().row_data(i));
    let account = row.as_ref().and_then(|row| {
        pages
            .state
            .borrow()
            .accounts
            .iter()
            .find(|a| a.address == row.account.as_str())
            .map(|a| a.id)
    });
    if let Some((row, account)) = row.zip(account) {
        let request = Request::Block {
            account,
            address: row.address.into(),
            blocked: false,
        };
        pages.ask(request, |pages, result| {
            complain(pages, result.err());
            read_blocked(pages);
        });
    }
}
