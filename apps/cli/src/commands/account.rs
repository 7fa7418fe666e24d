//! `sotto-cli account …`

use std::io::Write;
use std::time::{Duration, Instant};

use sotto_api::view::PasswordChange;
use sotto_api::{AccountId, ApiError, ErrorKind, Reply, Request, Secret};

use super::register;
use crate::args::{AccountCommand, SettingsArgs};
use crate::failure::{Done, Failure};
use crate::output::text;
use crate::session::{OnTrouble, Session, unexpected};

/// How long a server may take after the sign-in to say what it offers.
const SERVER_TELLS: Duration = Duration::from_secs(10);

pub(super) fn run<W: Write>(command: AccountCommand, session: &mut Session<'_, W>) -> Done {
    match command {
        AccountCommand::Add {
            address,
            network,
            forget,
            settings,
        } => add(session, address, network, !forget, &settings),
        AccountCommand::Create {
            server,
            username,
            answer,
            captcha_file,
            forget,
            settings,
        } => {
            let plan = register::Plan {
                server,
                username,
                answers: answer,
                captcha_file,
                remember: !forget,
                settings: settings
                    .settings(proxy_password(session, &settings)?)
                    .map_err(Failure::Usage)?,
            };
            let account = register::run(plan, session)?;
            show_online(session, account)
        }
        AccountCommand::List => {
            let accounts = session.accounts()?;
            session.out.result(&accounts, || text::accounts(&accounts))
        }
        AccountCommand::Remove {
            address,
            erase_history,
        } => {
            let account = session.account_at(&address)?.id;
            session.call(Request::AccountRemove {
                account,
                erase_history,
            })?;
            session.out.result(&Reply::Done, || {
                let history = if erase_history { "erased" } else { "kept" };
                format!("{address} was removed from this profile; its history was {history}.")
            })
        }
        AccountCommand::Password {
            address,
            sign_in,
            forget,
        } => password(session, &address, sign_in, !forget),
        AccountCommand::Enable { address } => {
            let account = session.account_at(&address)?.id;
            session.call(Request::AccountEnable {
                account,
                enabled: true,
            })?;
            show_online(session, account)
        }
        AccountCommand::Disable { address } => {
            let account = session.account_at(&address)?.id;
            session.call(Request::AccountEnable {
                account,
                enabled: false,
            })?;
            show(session, account)
        }
    }
}

fn add<W: Write>(
    session: &mut Session<'_, W>,
    address: String,
    network: String,
    remember: bool,
    settings: &SettingsArgs,
) -> Done {
    let password = match settings.client_certificate {
        // The certificate is the credential; a password is asked for only when the server wants one.
        Some(_) => None,
        None => Some(session.asker.secret(&format!("Password of {address}"))?),
    };
    let settings = settings
        .settings(proxy_password(session, settings)?)
        .map_err(Failure::Usage)?;
    let reply = session.call(Request::AccountAdd {
        network,
        address,
        password,
        remember,
        settings,
    })?;
    let Reply::Account(view) = reply else {
        return Err(unexpected());
    };
    show_online(session, view.id)
}

fn password<W: Write>(
    session: &mut Session<'_, W>,
    address: &str,
    sign_in: bool,
    remember: bool,
) -> Done {
    let account = session.account_at(address)?.id;
    if sign_in {
        let password = session.asker.secret(&format!("Password of {address}"))?;
        session.call(Request::AccountPassword {
            account,
            password,
            remember,
        })?;
        return show_online(session, account);
    }
    session.online(account, OnTrouble::Wait)?;
    can_change(session, account)?;
    let password = session
        .asker
        .new_secret(&format!("New password of {address}"))?;
    session.call(Request::AccountChangePassword { account, password })?;
    session.out.result(&Reply::Done, || {
        format!("The password of {address} was changed.")
    })
}

/// Waits until the server has said that a password can be changed: it is asked only after the sign-in.
fn can_change<W: Write>(session: &Session<'_, W>, account: AccountId) -> Done {
    let deadline = Instant::now() + session.limit.min(SERVER_TELLS);
    loop {
        let PasswordChange::Impossible(reason) = session.account(account)?.password_change else {
            return Ok(());
        };
        if session.next_event(deadline).is_none() {
            return Err(Failure::Refused(ApiError::new(ErrorKind::Refused, reason)));
        }
    }
}

fn proxy_password<W: Write>(
    session: &mut Session<'_, W>,
    settings: &SettingsArgs,
) -> Done<Option<Secret>> {
    if settings.wants_proxy_password() {
        session.asker.secret("Password of the proxy").map(Some)
    } else {
        Ok(None)
    }
}

fn show_online<W: Write>(session: &mut Session<'_, W>, account: AccountId) -> Done {
    let view = session.online(account, OnTrouble::Tell)?;
    session.out.result(&view, || text::account(&view))
}

fn show<W: Write>(session: &mut Session<'_, W>, account: AccountId) -> Done {
    let view = session.account(account)?;
    session.out.result(&view, || text::account(&view))
}
