//! People: roster, presence, contact list, subscription requests, blocking, pictures.
//!
//! How it plugs in: the account calls the functions below while it handles one stanza or reply, inside
//! a store transaction; they write to the store, note what changed in `cx.changes`, and send through
//! [`Account::send`] and [`Account::request`]. A handler of a request gives the reply, or `None` when
//! it waits for the server; then it puts the [`ReplyTo`] into its [`Pending`] and answers in
//! [`handle_reply`] with `cx.answer`.

use sotto_api::view::ContactView;
use sotto_api::{AccountId, Request};
use sotto_xmpp::{BareJid, Element};

use crate::account::{Account, Accounts, IqReply};
use crate::context::{Answer, Context, ReplyTo};
use crate::error::Fault;

/// What an iq of this module is for; comes back with its reply.
#[derive(Debug)]
pub(crate) enum Pending {}

/// What this module keeps per account in memory.
#[derive(Debug, Default)]
pub(crate) struct State {}

/// A fresh stream was bound: forget presence, ask for the roster (with its version) and the block list.
/// `session_started` of the account calls [`send_presence`] once the roster is here.
pub(crate) fn stream_bound(cx: &mut Context, account: &mut Account) -> Result<(), Fault>;

/// After a restart the old stream was resumed: presence in the store still holds; ask for what this
/// module keeps in memory only, and send my presence if my status changed meanwhile.
pub(crate) fn stream_resumed(cx: &mut Context, account: &mut Account) -> Result<(), Fault>;

/// `account.features` are known now (after [`stream_bound`] or [`stream_resumed`]).
pub(crate) fn features_known(cx: &mut Context, account: &mut Account) -> Result<(), Fault>;

/// The stream is gone for good (not merely interrupted): everybody is offline.
pub(crate) fn stream_lost(cx: &mut Context, account: &mut Account) -> Result<(), Fault>;

/// Sends my own presence (status, priority, capabilities, picture hash) if the account is online.
pub(crate) fn send_presence(cx: &mut Context, account: &mut Account) -> Result<(), Fault>;

/// A `<presence/>` of any type came.
pub(crate) fn handle_presence(cx: &mut Context, account: &mut Account, presence: &Element) -> Result<(), Fault>;

/// An iq of type `set` came whose payload is a roster push or a block-list push: `None` when it is
/// neither, otherwise the answer is sent here.
pub(crate) fn handle_push(cx: &mut Context, account: &mut Account, iq: &Element) -> Result<bool, Fault>;

/// A PEP event came (message with `pubsub#event`): `false` when it is none of this module's nodes.
pub(crate) fn handle_pep(cx: &mut Context, account: &mut Account, message: &Element) -> Result<bool, Fault>;

/// The reply to one of this module's iqs, an error, or none in time.
pub(crate) fn handle_reply(cx: &mut Context, account: &mut Account, pending: Pending, reply: IqReply) -> Result<(), Fault>;

/// `ContactList` … `AvatarGet` of [`Request`] (the section *people*).
pub(crate) fn handle_request(cx: &mut Context, accounts: &mut Accounts, to: ReplyTo, request: Request) -> Answer;

/// Whether receipts, markers and typing notices may go there: in the list, and allowed to see my
/// presence (subscription `from` or `both`), and not blocked (S-XMPP-17).
pub(crate) fn sees_me(cx: &Context, account: AccountId, peer: &BareJid) -> Result<bool, Fault>;

/// Whether the address is in the contact list of the account.
pub(crate) fn is_contact(cx: &Context, account: AccountId, peer: &BareJid) -> Result<bool, Fault>;

/// The person behind an address for a conversation's header, also when they are not in the list.
pub(crate) fn contact_of(cx: &Context, account: AccountId, peer: &BareJid) -> Result<ContactView, Fault>;
