//! Conversations and messages as shells show them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sotto_api::view::{
    ConversationView, Direction, MessageKind, MessageView, Privacy, PrivateState, SearchHit,
};
use sotto_api::{ApiError, ConversationId, MessageId};
use sotto_store::row::{ConversationRow, MessageRow};
use sotto_xmpp::BareJid;

use super::outgoing;
use crate::account::Accounts;
use crate::context::Context;
use crate::error::Fault;
use crate::{history, links, people, text, words};

/// A conversation; absent when its account was removed.
pub(crate) fn conversation(
    cx: &Context,
    accounts: &Accounts,
    row: &ConversationRow,
) -> Result<Option<ConversationView>, ApiError> {
    let Some(account) = accounts.get(&row.account) else {
        return Ok(None);
    };
    let Ok(peer) = BareJid::new(&row.jid) else {
        return Ok(None);
    };
    let contact = people::contact_of(cx, row.account, &peer)?;
    let online = account.is_online();
    let typing = online && account.messages.typing.is_writing(row.id);
    let first_unread = cx.store.first_unread(row.id).map_err(Fault::from)?;
    let stranger = !people::is_contact(cx, row.account, &peer)?;
    let address = contact
        .addresses
        .iter()
        .find(|address| address.account == row.account)
        .map_or_else(|| row.jid.clone(), |address| address.address.clone());
    // What this address shows, not the best of the person's.
    let availability = contact
        .addresses
        .iter()
        .find(|known| known.account == row.account && known.address == address)
        .map_or(contact.availability, |known| known.availability);
    let private = crate::private::view(cx, account, row, &contact.name)?;
    let privacy = match private.state {
        PrivateState::Private => crate::private::privacy(private.trust),
        _ => Privacy::ServerOnly,
    };
    let history = history::view(cx.settings, row);
    let kept = history.keep;
    Ok(Some(ConversationView {
        id: row.id,
        account: row.account,
        account_address: account.address.as_str().to_owned(),
        subtitle: words::subtitle(availability, &address),
        availability,
        contact_id: contact.id,
        stranger,
        typing,
        typing_text: if typing {
            words::typing(&contact.name)
        } else {
            String::new()
        },
        draft: row.draft.clone(),
        unread: row.unread,
        first_unread,
        privacy: words::privacy(privacy, &contact.name),
        private,
        history,
        online,
        notice: notice(account, online, kept),
        correctable: outgoing::correctable(cx, account, row.id)?,
        last_at: row.last.as_ref().map(|last| last.at),
        address,
        contact,
    }))
}

fn notice(account: &crate::account::Account, online: bool, kept: bool) -> String {
    if online && !account.ack_overdue {
        String::new()
    } else if !kept {
        words::notice_not_kept().to_owned()
    } else if account.row.enabled {
        words::notice_waiting().to_owned()
    } else {
        words::notice_offline(account.address.as_str())
    }
}

/// Makes views of the messages of one conversation, asking for its names once.
pub(crate) struct Authors {
    conversation: ConversationId,
    own: String,
    other: String,
}

impl Authors {
    pub fn of(
        cx: &Context,
        accounts: &Accounts,
        conversation: &ConversationRow,
    ) -> Result<Self, ApiError> {
        let other = match BareJid::new(&conversation.jid) {
            Ok(peer) => people::contact_of(cx, conversation.account, &peer)?.name,
            Err(_) => words::unknown_author().to_owned(),
        };
        let own = accounts
            .get(&conversation.account)
            .and_then(|account| Some(account.address.node()?.as_str().to_owned()))
            .unwrap_or_else(|| words::unknown_author().to_owned());
        Ok(Self {
            conversation: conversation.id,
            own,
            other,
        })
    }

    pub fn message(&self, cx: &Context, row: &MessageRow) -> Result<MessageView, ApiError> {
        let author = match row.direction {
            Direction::Incoming => &self.other,
            Direction::Outgoing => &self.own,
        };
        let previous = if row.edited {
            cx.store
                .message_previous(row.id)
                .map_err(Fault::from)?
                .iter()
                .map(|body| self.shown(author, row.kind, body))
                .collect()
        } else {
            Vec::new()
        };
        let body = self.shown(author, row.kind, &row.body);
        let speaker = match row.direction {
            Direction::Incoming => author,
            Direction::Outgoing => words::YOU,
        };
        let delivery = row
            .delivery
            .filter(|_| row.direction == Direction::Outgoing);
        Ok(MessageView {
            id: row.id,
            conversation: self.conversation,
            direction: row.direction,
            author: author.clone(),
            kind: row.kind,
            links: match row.kind {
                MessageKind::System => Vec::new(),
                MessageKind::Text | MessageKind::Action => links::find(&body),
            },
            at: row.at,
            delivery,
            delivery_text: delivery
                .map(|delivery| words::delivery(delivery).to_owned())
                .unwrap_or_default(),
            failure: row.failure.clone(),
            edited: row.edited,
            previous,
            privacy: row.privacy,
            privacy_text: if row.privacy == Privacy::None && row.direction == Direction::Incoming {
                words::private::came_unencrypted().to_owned()
            } else {
                String::new()
            },
            kept: row.kept,
            notice: row.notice,
            spoken: words::spoken_message(speaker, row.kind, &body, delivery, row.edited, ""),
            body,
        })
    }

    /// The text as it is shown: cleaned, and told as an action where it is one.
    fn shown(&self, author: &str, kind: MessageKind, body: &str) -> String {
        match text::action(body).filter(|_| kind == MessageKind::Action) {
            Some(action) => format!("{} {}", text::isolate(author), text::clean(action)),
            None => text::clean(body),
        }
    }
}

/// One message by its id.
pub(crate) fn message(
    cx: &Context,
    accounts: &Accounts,
    id: MessageId,
) -> Result<MessageView, ApiError> {
    let row = cx
        .store
        .message(id)
        .map_err(Fault::from)?
        .ok_or_else(words::not_found)?;
    let conversation = cx
        .store
        .conversation(row.conversation)
        .map_err(Fault::from)?
        .ok_or_else(words::not_found)?;
    Authors::of(cx, accounts, &conversation)?.message(cx, &row)
}

/// Finds, or lines of several conversations: asks for the names of each conversation once.
pub(crate) fn hits(
    cx: &Context,
    accounts: &Accounts,
    rows: impl IntoIterator<Item = (MessageRow, Vec<(usize, usize)>)>,
) -> Result<Vec<SearchHit>, ApiError> {
    let mut authors: HashMap<ConversationId, Authors> = HashMap::new();
    let mut hits = Vec::new();
    for (row, highlights) in rows {
        let known = match authors.entry(row.conversation) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let conversation = cx
                    .store
                    .conversation(row.conversation)
                    .map_err(Fault::from)?
                    .ok_or_else(words::not_found)?;
                place.insert(Authors::of(cx, accounts, &conversation)?)
            }
        };
        hits.push(hit(cx, known, &row, highlights)?);
    }
    Ok(hits)
}

/// A find. Its highlights count in the stored text; where cleaning changed that, nothing is
/// highlighted rather than the wrong thing.
fn hit(
    cx: &Context,
    authors: &Authors,
    row: &MessageRow,
    highlights: Vec<(usize, usize)>,
) -> Result<SearchHit, ApiError> {
    let message = authors.message(cx, row)?;
    let highlights = if message.body == row.body {
        highlights
    } else {
        Vec::new()
    };
    Ok(SearchHit {
        message,
        conversation_name: authors.other.clone(),
        highlights,
    })
}
