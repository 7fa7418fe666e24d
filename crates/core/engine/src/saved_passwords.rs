//! Passwords that are kept: listed, removed, shown to who knows the passphrase.

use sotto_api::view::SavedPasswordView;
use sotto_api::{AccountId, ApiError, Reply, Request};

use crate::account::{Account, Accounts};
use crate::context::{Answer, Context};
use crate::error::Fault;
use crate::words;

/// `SavedPasswordList` and `SavedPasswordRemove`.
pub(crate) fn handle_request(
    cx: &mut Context,
    accounts: &mut Accounts,
    request: Request,
) -> Answer {
    let reply = match request {
        Request::SavedPasswordList {} => Reply::SavedPasswords(list(cx, accounts)?),
        Request::SavedPasswordRemove { account: Some(id) } => {
            let account = accounts.get_mut(&id).ok_or_else(words::not_found)?;
            remove(cx, account)?;
            Reply::Done
        }
        Request::SavedPasswordRemove { account: None } => {
            for account in accounts.values_mut() {
                remove(cx, account)?;
            }
            Reply::Done
        }
        _ => return Err(words::internal()),
    };
    Ok(Some(reply))
}

fn list(cx: &Context, accounts: &Accounts) -> Result<Vec<SavedPasswordView>, ApiError> {
    let mut views = Vec::new();
    for row in cx.store.credentials().map_err(Fault::from)? {
        let Some(account) = accounts.get(&row.account) else {
            continue;
        };
        let network = &account.row.network;
        views.push(SavedPasswordView {
            account: account.id,
            network: match cx.networks.get(network) {
                Some(known) => known.name().to_owned(),
                None => network.clone(),
            },
            address: account.address.as_str().to_owned(),
            stored_at: row.stored_at,
        });
    }
    Ok(views)
}

/// The account stays online; its next sign-in asks.
fn remove(cx: &mut Context, account: &mut Account) -> Result<(), ApiError> {
    cx.store
        .credential_remove(account.id)
        .map_err(Fault::from)?;
    account.forget_password();
    cx.changes.account(account.id);
    Ok(())
}

/// The passphrase was right: the password.
pub(crate) fn show(store: &sotto_store::Store, account: AccountId) -> Result<Reply, ApiError> {
    store
        .credential(account)
        .map_err(Fault::from)?
        .map(Reply::Password)
        .ok_or_else(words::no_saved_password)
}
