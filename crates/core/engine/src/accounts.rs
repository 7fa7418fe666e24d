//! Accounts: added, configured, taken online and offline, removed.

use sotto_api::view::{AccountState, AccountView};
use sotto_api::{AccountId, AccountSettings, ApiError, Field, Reply, Request, Secret};
use sotto_store::StoreError;
use sotto_store::row::NewAccount;
use sotto_xmpp::BareJid;

use crate::account::{Account, Accounts};
use crate::context::{Answer, Context};
use crate::error::Fault;
use crate::{certificates, password, people, words};

/// `AccountList` … `AccountRetry`, besides changing the password.
pub(crate) fn handle(cx: &mut Context, accounts: &mut Accounts, request: Request) -> Answer {
    let reply = match request {
        Request::AccountList {} => {
            let views = accounts
                .values()
                .map(|account| view(cx, account))
                .collect::<Result<_, _>>()?;
            Reply::Accounts(views)
        }
        Request::AccountAdd {
            network,
            address,
            password,
            remember,
            settings,
        } => {
            let address = check_network(cx, &network, &address)?;
            let password = password.filter(|password| !password.is_empty());
            let id = add(
                cx, accounts, &network, address, password, remember, settings,
            )?;
            let account = accounts.get(&id).ok_or_else(words::internal)?;
            Reply::Account(view(cx, account)?)
        }
        Request::AccountRemove {
            account: id,
            erase_history,
        } => {
            remove(cx, accounts, id, erase_history)?;
            Reply::Done
        }
        Request::AccountEnable {
            account: id,
            enabled,
        } => {
            let account = get(accounts, id)?;
            if account.row.enabled != enabled {
                cx.store
                    .account_set_enabled(id, enabled)
                    .map_err(Fault::from)?;
                account.row.enabled = enabled;
                cx.changes.account(id);
                if enabled {
                    account.problem = None;
                    account.connect(cx)?;
                } else {
                    crate::private::end_all(cx, account)?;
                    account.sign_out(cx)?;
                }
            }
            Reply::Done
        }
        Request::AccountConfigure {
            account: id,
            settings,
        } => {
            configure(cx, get(accounts, id)?, settings)?;
            Reply::Done
        }
        Request::AccountPassword {
            account: id,
            password,
            remember,
        } => {
            if password.is_empty() {
                return Err(words::empty_password());
            }
            get(accounts, id)?.set_candidate(cx, password, remember)?;
            Reply::Done
        }
        Request::AccountRetry { account: Some(id) } => {
            get(accounts, id)?.retry_now(cx)?;
            Reply::Done
        }
        Request::AccountRetry { account: None } => {
            for account in accounts.values_mut() {
                account.retry_now(cx)?;
            }
            Reply::Done
        }
        _ => return Err(words::internal()),
    };
    Ok(Some(reply))
}

/// Adds an account to the store and signs in.
pub(crate) fn add(
    cx: &mut Context,
    accounts: &mut Accounts,
    network: &str,
    address: BareJid,
    password: Option<Secret>,
    remember: bool,
    mut settings: AccountSettings,
) -> Result<AccountId, ApiError> {
    check_settings(&settings)?;
    if settings.server.is_none() {
        settings.server = cx
            .networks
            .get(network)
            .and_then(|network| network.server().cloned());
    }
    let agent_id = uuid(cx);
    let added = cx.store.account_add(&NewAccount {
        network,
        address: address.as_str(),
        enabled: true,
        settings: &settings,
        agent_id: &agent_id,
    });
    let id = match added {
        Ok(id) => id,
        Err(StoreError::Exists { .. }) => return Err(words::already_there(address.as_str())),
        Err(error) => return Err(Fault::from(error).into()),
    };
    let row = cx
        .store
        .account(id)
        .map_err(Fault::from)?
        .ok_or_else(words::internal)?;
    let mut account = Account::new(row, address);
    cx.changes.account(id);
    let tried = match password {
        Some(password) => account.set_candidate(cx, password, remember),
        None => account.connect(cx),
    };
    tried?;
    accounts.insert(id, account);
    Ok(id)
}

/// Adds an account of XMPP without going online: the person switches it on.
pub(crate) fn add_disabled(
    cx: &mut Context,
    accounts: &mut Accounts,
    address: &str,
    settings: AccountSettings,
) -> Result<(), ApiError> {
    let address = check_network(cx, "xmpp", address)?;
    check_settings(&settings)?;
    let agent_id = uuid(cx);
    let added = cx.store.account_add(&NewAccount {
        network: "xmpp",
        address: address.as_str(),
        enabled: false,
        settings: &settings,
        agent_id: &agent_id,
    });
    let id = added.map_err(|error| match error {
        StoreError::Exists { .. } => words::already_there(address.as_str()),
        error => Fault::from(error).into(),
    })?;
    let row = cx.store.account(id).map_err(Fault::from)?;
    let mut account = Account::new(row.ok_or_else(words::internal)?, address);
    account.start(cx)?;
    accounts.insert(id, account);
    cx.changes.account(id);
    Ok(())
}

/// Adds an account that was just made on its server, with the keys that were accepted on the way
/// (and whether for ever).
pub(crate) fn add_registered(
    cx: &mut Context,
    accounts: &mut Accounts,
    address: BareJid,
    password: Secret,
    remember: bool,
    settings: AccountSettings,
    accepted: Vec<([u8; 32], bool)>,
) -> Result<AccountId, ApiError> {
    let domain = address.domain().as_str().to_owned();
    let id = add(cx, accounts, "xmpp", address, None, remember, settings)?;
    let account = get(accounts, id)?;
    for (key, always) in accepted {
        if always {
            cx.store
                .cert_pin_add(id, &domain, &key, cx.timestamp())
                .map_err(Fault::from)?;
        } else {
            account.accept_key_now(key);
        }
    }
    account.set_candidate(cx, password, remember)?;
    Ok(id)
}

fn remove(
    cx: &mut Context,
    accounts: &mut Accounts,
    id: AccountId,
    erase_history: bool,
) -> Result<(), ApiError> {
    let account = get(accounts, id)?;
    crate::private::end_all(cx, account)?;
    account.sign_out(cx)?;
    account.leave_for_good();
    crate::account::features::Features::forget(cx.store, id)?;
    cx.store
        .account_remove(id, erase_history)
        .map_err(Fault::from)?;
    cx.changes.account(id);
    cx.changes.subscriptions();
    cx.changes.contacts();
    Ok(())
}

/// A transaction was not kept: accounts are as the store has them, and those that it does not have never were.
pub(crate) fn reread(cx: &mut Context, accounts: &mut Accounts) -> Result<(), Fault> {
    let rows = cx.store.accounts()?;
    accounts.retain(|id, account| {
        let row = rows.iter().find(|row| row.id == *id);
        match row {
            Some(row) => account.reread(cx, row.clone()),
            None => account.drop_connection(cx),
        }
        row.is_some()
    });
    Ok(())
}

fn configure(
    cx: &mut Context,
    account: &mut Account,
    mut settings: AccountSettings,
) -> Result<(), ApiError> {
    check_settings(&settings)?;
    keep_blanked(&mut settings, &account.row.settings);
    if settings == account.row.settings {
        return Ok(());
    }
    cx.store
        .account_set_settings(account.id, &settings)
        .map_err(Fault::from)?;
    let only_priority = AccountSettings {
        priority: settings.priority,
        ..account.row.settings.clone()
    } == settings;
    account.row.settings = settings;
    cx.changes.account(account.id);
    if only_priority {
        people::send_presence(cx, account)?;
    } else if account.row.enabled {
        if account.is_online() {
            account.sign_out(cx)?;
            account.flush_farewell(cx);
        }
        account.connect(cx)?;
    }
    Ok(())
}

/// A view blanks secrets; settings that come back with a blank keep what was there.
fn keep_blanked(new: &mut AccountSettings, old: &AccountSettings) {
    if new
        .client_certificate
        .as_ref()
        .is_some_and(Secret::is_empty)
    {
        new.client_certificate.clone_from(&old.client_certificate);
    }
    if let (Some(new), Some(old)) = (&mut new.proxy, &old.proxy)
        && new.password.as_ref().is_some_and(Secret::is_empty)
    {
        new.password.clone_from(&old.password);
    }
}

fn check_settings(settings: &AccountSettings) -> Result<(), ApiError> {
    if let Some(server) = &settings.server {
        if server.host.trim().is_empty() || server.host.len() > 255 {
            return Err(words::empty_host(Field::Server));
        }
        if server.port == 0 {
            return Err(words::out_of_range("The port", 1, 65_535).at(Field::Port));
        }
    }
    if let Some(proxy) = &settings.proxy {
        if proxy.host.trim().is_empty() || proxy.host.len() > 255 {
            return Err(words::empty_host(Field::Proxy));
        }
        if proxy.port == 0 {
            return Err(words::out_of_range("The port", 1, 65_535).at(Field::Proxy));
        }
    }
    if let Some(resource) = settings.resource.as_deref().filter(|name| !name.is_empty())
        && sotto_xmpp::jid::ResourcePart::new(resource).is_err()
    {
        return Err(words::bad_resource());
    }
    Ok(())
}

/// The network must work here, and the address must be a full one.
fn check_network(cx: &Context, network: &str, address: &str) -> Result<BareJid, ApiError> {
    let network = cx.networks.get(network).ok_or_else(words::not_found)?;
    if network.withdrawal().is_some() {
        return Err(words::withdrawn(network));
    }
    if !network.is_active() {
        return Err(words::not_yet(network));
    }
    let parsed = parse_address(&network.complete(address.trim()), network.example())?;
    if parsed.node().is_none() {
        return Err(words::bare_name(network.example()));
    }
    Ok(parsed)
}

/// An address that a person typed, without a resource.
pub(crate) fn parse_address(typed: &str, example: &str) -> Result<BareJid, ApiError> {
    BareJid::new(typed.trim()).map_err(|_| words::invalid_address(example))
}

fn get(accounts: &mut Accounts, id: AccountId) -> Result<&mut Account, ApiError> {
    accounts.get_mut(&id).ok_or_else(words::not_found)
}

/// An account as a shell shows it.
pub(crate) fn view(cx: &Context, account: &Account) -> Result<AccountView, ApiError> {
    let state = account.api_state();
    let mut settings = account.row.settings.clone();
    if settings.client_certificate.is_some() {
        settings.client_certificate = Some(Secret::new(String::new()));
    }
    if let Some(proxy) = &mut settings.proxy
        && proxy.password.is_some()
    {
        proxy.password = Some(Secret::new(String::new()));
    }
    let pins = cx
        .store
        .cert_pins(account.id, account.domain())
        .map_err(Fault::from)?;
    let avatar = cx
        .store
        .avatar_of(account.id, account.address.as_str())
        .map_err(Fault::from)?;
    Ok(AccountView {
        id: account.id,
        network: account.row.network.clone(),
        address: account.address.as_str().to_owned(),
        enabled: account.row.enabled,
        remembered: account.row.remembered,
        state_text: words::account_state(&state, account.problem.as_ref(), cx.timestamp()),
        problem: match state {
            AccountState::Online | AccountState::Disabled => None,
            _ => account.problem.clone(),
        },
        state,
        availability: account.row.availability,
        status_text: account.row.status_text.clone(),
        avatar,
        settings,
        password_change: password::possible(account),
        connection: account.connection_text(),
        accepted_certificates: pins.iter().map(certificates::grouped).collect(),
    })
}

/// A random id in the form of RFC 9562 §5.4, which names this installation to a server.
fn uuid(cx: &mut Context) -> String {
    let mut bytes = [0_u8; 16];
    (cx.effects.random)(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}
