//! What others see of me.

use sotto_api::view::Availability;
use sotto_api::{AccountId, ApiError, ErrorKind, Reply};
use sotto_xmpp::caps::Caps;
use sotto_xmpp::presence::{AvatarHint, MAX_STATUS, Outgoing, Show, unavailable};

use crate::account::{Account, Accounts};
use crate::context::{Answer, Context};
use crate::error::Fault;
use crate::{text, words};

pub(super) fn set(
    cx: &mut Context,
    accounts: &mut Accounts,
    account: Option<AccountId>,
    availability: Availability,
    line: &str,
) -> Answer {
    if availability == Availability::Unknown {
        return Err(ApiError::new(ErrorKind::Invalid, words::no_such_status()));
    }
    let line = text::clean_line(line);
    let line = sotto_xmpp::text::bounded(&line, MAX_STATUS).to_owned();
    if let Some(account) = account
        && !accounts.contains_key(&account)
    {
        return Err(words::not_found());
    }
    for chosen in accounts
        .values_mut()
        .filter(|one| account.is_none_or(|account| one.id == account))
    {
        cx.store
            .account_set_status(chosen.id, availability, &line)
            .map_err(Fault::from)?;
        chosen.row.availability = availability;
        chosen.row.status_text.clone_from(&line);
        send_presence(cx, chosen)?;
        cx.changes.account(chosen.id);
    }
    Ok(Some(Reply::Done))
}

/// Sends my own presence (status, priority, capabilities, picture hash) if the account is online.
///
/// *Offline* as a chosen status is invisible: the account stays signed in and nobody is told.
pub(crate) fn send_presence(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    let show = match account.row.availability {
        Availability::Chat => Show::Chat,
        Availability::Available => Show::Available,
        Availability::Away => Show::Away,
        Availability::ExtendedAway => Show::Xa,
        Availability::Busy => Show::Dnd,
        Availability::Offline | Availability::Unknown => {
            account.send(cx, unavailable(""));
            return Ok(());
        }
    };
    let hint = match cx.store.avatar_of(account.id, account.address.as_str())? {
        Some(hash) => AvatarHint::Hash(hash),
        None => AvatarHint::None,
    };
    let caps = Caps::sotto();
    let presence = Outgoing {
        show,
        status: &account.row.status_text,
        priority: account.row.settings.priority,
        caps: Some(&caps),
        // Where the server converts pictures it adds the hash itself (XEP-0398).
        avatar: (!account.features.avatar_conversion).then_some(&hint),
    }
    .to_element(None);
    account.send(cx, presence);
    Ok(())
}
