//! Editing one account: password, picture, and the advanced page.

use std::path::Path;

use slint::{ComponentHandle, SharedString};
use sotto_api::view::{AccountView, PasswordChange};
use sotto_api::{AccountSettings, Field, Proxy, ProxyKind, Reply, Request, Secret, ServerOverride};

use super::{Pages, dialogs, model, sign_in, with};
use crate::{Account, AppWindow, Page, PageWords};

/// Where Tor listens on its own computer.
pub(super) const TOR: (&str, u16) = ("127.0.0.1", 9050);

/// A certificate with its key is a few kilobytes; this is far more.
const LARGEST_CERTIFICATE: u64 = 256 * 1024;

pub(super) fn wire(ui: &AppWindow) {
    let page = ui.global::<Account>();
    page.on_change_password(|| with(dialogs::ask_new_password));
    page.on_new_password(|| {
        with(|pages| {
            let view = pages.state.borrow().editing.clone();
            if let Some(view) = view {
                dialogs::ask_password(pages, &view);
            }
        });
    });
    page.on_choose_picture(|| with(dialogs::ask_picture));
    page.on_remove_picture(|| with(|pages| set_picture(pages, None)));
    page.on_save(|| with(save));
    page.on_leave(|| with(leave));
}

pub(super) fn show(pages: &Pages, view: AccountView) {
    fill(pages, &view.settings);
    pages.state.borrow_mut().editing = Some(view);
    refresh(pages);
    pages.show(Page::Account);
}

/// The advanced page for accounts that are about to be added.
pub(super) fn show_fresh(pages: &Pages) {
    let settings = pages.state.borrow().sign_in.settings.clone();
    fill(pages, &settings);
    pages.state.borrow_mut().editing = None;
    if let Some(ui) = pages.ui() {
        ui.global::<Account>().set_fresh(true);
    }
    pages.show(Page::Account);
}

fn fill(pages: &Pages, settings: &AccountSettings) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Account>();
    page.set_fresh(false);
    page.set_accepted(model(Vec::new()));
    page.set_override(settings.server.is_some());
    let server = settings.server.clone();
    page.set_host(
        server
            .as_ref()
            .map(|s| s.host.as_str())
            .unwrap_or_default()
            .into(),
    );
    page.set_port(
        server
            .as_ref()
            .map_or_else(|| "5222".into(), |s| SharedString::from(s.port.to_string())),
    );
    page.set_direct_tls(server.is_some_and(|s| s.direct_tls));
    page.set_resource(settings.resource.clone().unwrap_or_default().into());
    page.set_priority(settings.priority.to_string().into());
    page.set_allow_plain(settings.allow_plain);
    page.set_has_certificate(settings.client_certificate.is_some());
    page.set_certificate("".into());
    let proxy = settings.proxy.as_ref();
    page.set_proxy_kind(match proxy {
        None => 0,
        Some(p)
            if p.kind == ProxyKind::Socks5
                && (p.host.as_str(), p.port) == TOR
                && p.username.is_none() =>
        {
            1
        }
        Some(p) if p.kind == ProxyKind::Socks5 => 2,
        Some(_) => 3,
    });
    page.set_proxy_host(proxy.map(|p| p.host.as_str()).unwrap_or_default().into());
    page.set_proxy_port(proxy.map(|p| p.port.to_string()).unwrap_or_default().into());
    page.set_proxy_user(
        proxy
            .and_then(|p| p.username.clone())
            .unwrap_or_default()
            .into(),
    );
    page.set_proxy_password("".into());
    for set in [
        Account::set_host_error,
        Account::set_port_error,
        Account::set_priority_error,
        Account::set_proxy_error,
        Account::set_certificate_error,
    ] {
        set(&page, "".into());
    }
}

/// Shows what the account says now; what is being typed is left alone.
pub(super) fn refresh(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let view = {
        let mut state = pages.state.borrow_mut();
        let Some(id) = state.editing.as_ref().map(|v| v.id) else {
            return;
        };
        let view = state.accounts.iter().find(|a| a.id == id).cloned();
        state.editing = view.clone();
        view
    };
    let Some(view) = view else { return };
    let page = ui.global::<Account>();
    page.set_address(view.address.as_str().into());
    page.set_state(view.state_text.as_str().into());
    page.set_connection(view.connection.as_str().into());
    match &view.password_change {
        PasswordChange::Possible => {
            page.set_can_change_password(true);
            page.set_why_not("".into());
        }
        PasswordChange::Impossible(why) => {
            page.set_can_change_password(false);
            page.set_why_not(why.as_str().into());
        }
    }
    page.set_accepted(model(
        view.accepted_certificates
            .iter()
            .map(|s| SharedString::from(s.as_str()))
            .collect(),
    ));
    page.set_initials(
        view.address
            .chars()
            .next()
            .map(|c| c.to_uppercase().to_string())
            .unwrap_or_default()
            .into(),
    );
    match &view.avatar {
        None => page.set_has_picture(false),
        Some(hash) => pages.ask(
            Request::AvatarGet { hash: hash.clone() },
            |pages, result| {
                let (Ok(Reply::Avatar(picture)), Some(ui)) = (result, pages.ui()) else {
                    return;
                };
                let picture = picture.and_then(|p| crate::picture::decode(&p));
                let page = ui.global::<Account>();
                page.set_has_picture(picture.is_some());
                page.set_picture(picture.unwrap_or_default());
            },
        ),
    }
}

/// Reads what was typed; an error stands next to its field and nothing is sent.
fn save(pages: &Pages) {
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Account>();
    let words = ui.global::<PageWords>();
    let editing = pages.state.borrow().editing.clone();
    let before = match &editing {
        Some(view) => view.settings.clone(),
        None => pages.state.borrow().sign_in.settings.clone(),
    };
    let server = if page.get_override() {
        let host = page.get_host().trim().to_owned();
        if host.is_empty() {
            return page.set_host_error(words.get_bad_host());
        }
        let Some(port) = port(&page.get_port()) else {
            return page.set_port_error(words.get_bad_port());
        };
        Some(ServerOverride {
            host,
            port,
            direct_tls: page.get_direct_tls(),
        })
    } else {
        None
    };
    let Ok(priority) = page.get_priority().trim().parse::<i8>() else {
        return page.set_priority_error(words.get_bad_priority());
    };
    let old = before.proxy.as_ref();
    let Some(proxy) = proxy_of(
        page.get_proxy_kind(),
        &page.get_proxy_host(),
        &page.get_proxy_port(),
        &page.get_proxy_user(),
        &page.get_proxy_password(),
        old,
    ) else {
        return page.set_proxy_error(words.get_bad_port());
    };
    let path = page.get_certificate();
    let client_certificate = if path.trim().is_empty() {
        before.client_certificate.clone()
    } else {
        match read_certificate(Path::new(path.trim())) {
            Some(pem) => Some(pem),
            None => return page.set_certificate_error(words.get_bad_file()),
        }
    };
    let resource = Some(page.get_resource().trim().to_owned()).filter(|r| !r.is_empty());
    let settings = AccountSettings {
        server,
        resource,
        priority,
        client_certificate,
        allow_plain: page.get_allow_plain(),
        proxy,
    };
    let Some(view) = editing else {
        pages.state.borrow_mut().sign_in.settings = settings;
        return leave(pages);
    };
    page.set_busy(true);
    pages.ask(
        Request::AccountConfigure {
            account: view.id,
            settings,
        },
        |pages, result| {
            let Some(ui) = pages.ui() else { return };
            let page = ui.global::<Account>();
            page.set_busy(false);
            match result {
                Ok(_) => {
                    pages.toast(ui.global::<PageWords>().get_saved());
                    leave(pages);
                }
                Err(error) => {
                    let text: SharedString = error.message.into();
                    match error.field {
                        Some(Field::Port) => page.set_port_error(text),
                        Some(Field::Priority) => page.set_priority_error(text),
                        Some(Field::Proxy) => page.set_proxy_error(text),
                        Some(Field::Certificate) => page.set_certificate_error(text),
                        _ => page.set_host_error(text),
                    }
                }
            }
        },
    );
}

fn leave(pages: &Pages) {
    pages.state.borrow_mut().editing = None;
    let Some(ui) = pages.ui() else { return };
    let page = ui.global::<Account>();
    page.set_proxy_password("".into());
    if page.get_fresh() {
        sign_in::tell_settings(pages);
        pages.show(Page::SignIn);
    } else {
        pages.show(Page::Options);
    }
}

pub(super) fn port(text: &str) -> Option<u16> {
    text.trim().parse::<u16>().ok().filter(|p| *p > 0)
}

/// The proxy that was chosen: `Some(None)` is none at all, `None` is something missing.
///
/// A password field that was left empty keeps the stored password, as long as host and user stay the same.
pub(super) fn proxy_of(
    kind: i32,
    host: &str,
    port_text: &str,
    user: &str,
    password: &str,
    old: Option<&Proxy>,
) -> Option<Option<Proxy>> {
    let kind = match kind {
        0 => return Some(None),
        1 => {
            let (host, port) = TOR;
            return Some(Some(Proxy {
                kind: ProxyKind::Socks5,
                host: host.into(),
                port,
                username: None,
                password: None,
            }));
        }
        2 => ProxyKind::Socks5,
        _ => ProxyKind::HttpConnect,
    };
    let host = host.trim().to_owned();
    if host.is_empty() {
        return None;
    }
    let port = port(port_text)?;
    let username = Some(user.trim().to_owned()).filter(|u| !u.is_empty());
    let same = old.filter(|o| o.host == host && o.username == username);
    let password = if username.is_none() {
        None
    } else if password.is_empty() {
        same.and_then(|o| o.password.clone())
    } else {
        Some(Secret::new(password.to_owned()))
    };
    Some(Some(Proxy {
        kind,
        host,
        port,
        username,
        password,
    }))
}

fn read_certificate(path: &Path) -> Option<Secret> {
    let size = std::fs::metadata(path)
        .ok()
        .filter(std::fs::Metadata::is_file)?
        .len();
    if size > LARGEST_CERTIFICATE {
        return None;
    }
    std::fs::read_to_string(path).ok().map(Secret::new)
}

/// Publishes a picture, or takes it away.
pub(super) fn set_picture(pages: &Pages, png: Option<String>) {
    let Some(account) = pages.state.borrow().editing.as_ref().map(|v| v.id) else {
        return;
    };
    pages.ask(
        Request::AvatarSet { account, png },
        |pages, result| match result {
            Ok(_) => pages.read_accounts(|_| {}),
            Err(error) => pages.toast(error.message.into()),
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tor_needs_nothing_typed() {
        let proxy = proxy_of(1, "", "", "", "", None).flatten().unwrap();
        assert_eq!(
            (proxy.kind, proxy.host.as_str(), proxy.port),
            (ProxyKind::Socks5, "127.0.0.1", 9050)
        );
    }

    #[test]
    fn a_proxy_without_host_or_port_is_not_sent() {
        assert!(proxy_of(2, "", "9050", "", "", None).is_none());
        assert!(proxy_of(3, "proxy.example", "0", "", "", None).is_none());
        assert!(proxy_of(3, "proxy.example", "70000", "", "", None).is_none());
    }

    #[test]
    fn an_empty_proxy_password_keeps_the_stored_one_only_for_the_same_proxy() {
        let old = Proxy {
            kind: ProxyKind::Socks5,
            host: "a.example".into(),
            port: 1080,
            username: Some("sara".into()),
            password: Some(Secret::new("kept".into())),
        };
        let same = proxy_of(2, "a.example", "1080", "sara", "", Some(&old))
            .flatten()
            .unwrap();
        assert_eq!(same.password, old.password);
        let other = proxy_of(2, "b.example", "1080", "sara", "", Some(&old))
            .flatten()
            .unwrap();
        assert_eq!(other.password, None);
    }
}
