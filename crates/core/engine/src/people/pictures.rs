//! Pictures of contacts and my own (XEP-0084, XEP-0153, XEP-0398; S-MEDIA-03).
//!
//! Only pictures of contacts are asked for, only at their server, a few at a time. What comes must
//! have the hash that was announced; it is decoded away from the engine's thread and kept as a small
//! PNG under the announced hash. A picture that does not decode is not asked for again on this stream.

use std::collections::{HashMap, HashSet, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sotto_api::{ApiError, Reply};
use sotto_store::row::AvatarRow;
use sotto_xmpp::avatar::{self, Picture, Published};
use sotto_xmpp::pep::Event;
use sotto_xmpp::presence::AvatarHint;
use sotto_xmpp::{BareJid, Element, Jid, iq, ns, pep, vcard};

use super::{Pending, accepted, done, is_contact, note_person, online, refusal};
use crate::account::{Account, IqReply, Pending as AccountPending};
use crate::context::{Answer, Context, ReplyTo};
use crate::error::Fault;
use crate::io::{PictureJob, WorkId};
use crate::picture;
use crate::words;
use crate::work::Done;

/// Pictures that are asked for or decoded at once.
const AT_ONCE: usize = 4;

/// Pictures that wait to be asked for; more than anybody has contacts.
const MOST_WAITING: usize = 10_000;

/// What is kept in memory.
#[derive(Debug, Default)]
pub(super) struct State {
    waiting: VecDeque<Asked>,
    /// Under way: asked for or being decoded.
    under_way: usize,
    decoding: HashMap<WorkId, Asked>,
    /// My own that are being written anew, each with who asked for it.
    own: HashMap<WorkId, ReplyTo>,
    /// The newest wish of each address; an answer to an older one is dropped.
    wanted: HashMap<BareJid, String>,
    /// Addresses whose picture is known from an event: what presence says comes second.
    by_event: HashSet<BareJid>,
    /// Hashes that came to nothing on this stream.
    useless: HashSet<String>,
}

/// A picture that is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    owner: BareJid,
    hash: String,
    from: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// XEP-0084.
    Pep,
    /// XEP-0054.
    Vcard,
    /// My own metadata, to learn the hash.
    OwnMetadata,
}

/// Publishing my own picture, step by step.
#[derive(Debug)]
pub(crate) struct Publishing {
    to: ReplyTo,
    /// Absent: it is being removed.
    picture: Option<Own>,
    step: Step,
}

#[derive(Debug)]
struct Own {
    picture: Picture,
    width: u16,
    height: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Data,
    Metadata,
    VcardGet,
    VcardSet,
}

#[cfg(test)]
impl Asked {
    /// As if it had been asked for on a stream.
    pub fn for_test(account: &mut Account, owner: BareJid, hash: &str) -> Self {
        let pictures = &mut account.people.pictures;
        pictures.wanted.insert(owner.clone(), hash.to_owned());
        pictures.under_way += 1;
        Self {
            owner,
            hash: hash.to_owned(),
            from: Source::Pep,
        }
    }
}

// ---- pictures of others ----------------------------------------------------------------------

/// News of a metadata node. About its sender only: somebody else's picture cannot be changed by it
/// (S-XMPP-06).
pub(super) fn handle_event(
    cx: &mut Context,
    account: &mut Account,
    event: &Event,
) -> Result<(), Fault> {
    let own = event.is_own(&account.address);
    if !own && !is_contact(cx, account.id, &event.owner)? {
        return Ok(());
    }
    account.people.pictures.by_event.insert(event.owner.clone());
    let published = event
        .items
        .iter()
        .rev()
        .find_map(|item| avatar::parse_metadata(item.payload.as_ref()?));
    match published {
        Some(Published::Picture(metadata)) => {
            want(cx, account, event.owner.clone(), metadata.hash, Source::Pep)
        }
        Some(Published::None) => forget(cx, account, &event.owner),
        None if event.gone => forget(cx, account, &event.owner),
        None => Ok(()),
    }
}

/// What presence says of a picture (XEP-0153), of a contact or of another device of mine.
pub(super) fn handle_hint(
    cx: &mut Context,
    account: &mut Account,
    owner: &BareJid,
    hint: &AvatarHint,
) -> Result<(), Fault> {
    if account.people.pictures.by_event.contains(owner) || *owner == account.address {
        return Ok(());
    }
    match hint {
        AvatarHint::Unknown => Ok(()),
        AvatarHint::None => forget(cx, account, owner),
        AvatarHint::Hash(hash) => want(cx, account, owner.clone(), hash.clone(), Source::Vcard),
    }
}

/// Learns which picture I have, where another device published it.
pub(super) fn ask_own(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    if account.features.pep {
        let asked = Asked {
            owner: account.address.clone(),
            hash: String::new(),
            from: Source::OwnMetadata,
        };
        let own = Jid::from(account.address.clone());
        let pending = AccountPending::People(Pending::Picture(asked));
        account.request(
            cx,
            Some(own),
            iq::Method::Get,
            avatar::metadata_request(),
            pending,
        );
    }
    Ok(())
}

fn want(
    cx: &mut Context,
    account: &mut Account,
    owner: BareJid,
    hash: String,
    from: Source,
) -> Result<(), Fault> {
    if cx.store.avatar_of(account.id, owner.as_str())?.as_deref() == Some(hash.as_str()) {
        account.people.pictures.wanted.remove(&owner);
        return Ok(());
    }
    if cx.store.avatar(&hash)?.is_some() {
        account.people.pictures.wanted.remove(&owner);
        cx.store
            .avatar_of_set(account.id, owner.as_str(), Some(&hash))?;
        return note(cx, account, &owner);
    }
    let pictures = &mut account.people.pictures;
    if pictures.useless.contains(&hash) || pictures.waiting.len() >= MOST_WAITING {
        return Ok(());
    }
    if pictures.wanted.get(&owner) == Some(&hash) {
        return Ok(());
    }
    pictures.wanted.insert(owner.clone(), hash.clone());
    pictures.waiting.push_back(Asked { owner, hash, from });
    ask_next(cx, account);
    Ok(())
}

fn forget(cx: &mut Context, account: &mut Account, owner: &BareJid) -> Result<(), Fault> {
    account.people.pictures.wanted.remove(owner);
    if cx.store.avatar_of(account.id, owner.as_str())?.is_some() {
        cx.store.avatar_of_set(account.id, owner.as_str(), None)?;
        note(cx, account, owner)?;
    }
    Ok(())
}

fn ask_next(cx: &mut Context, account: &mut Account) {
    while account.people.pictures.under_way < AT_ONCE {
        let pictures = &mut account.people.pictures;
        let Some(asked) = pictures.waiting.pop_front() else {
            return;
        };
        if pictures.wanted.get(&asked.owner) != Some(&asked.hash) {
            continue;
        }
        let payload = match asked.from {
            Source::Pep => avatar::data_request(&asked.hash),
            Source::Vcard => vcard::request(),
            Source::OwnMetadata => continue,
        };
        let owner = Jid::from(asked.owner.clone());
        let pending = AccountPending::People(Pending::Picture(asked));
        if !account.request(cx, Some(owner), iq::Method::Get, payload, pending) {
            return;
        }
        account.people.pictures.under_way += 1;
    }
}

/// The answer to a question for a picture.
pub(super) fn handle_reply(
    cx: &mut Context,
    account: &mut Account,
    asked: Asked,
    reply: IqReply,
) -> Result<(), Fault> {
    if asked.from == Source::OwnMetadata {
        return handle_own_metadata(cx, account, reply);
    }
    let payload = reply.ok().flatten();
    let picture = payload.as_ref().and_then(|payload| match asked.from {
        Source::Pep => avatar::parse_data(payload, &asked.hash).ok(),
        Source::Vcard => vcard::picture(payload, Some(&asked.hash)).ok(),
        Source::OwnMetadata => None,
    });
    match picture {
        Some(picture) => {
            let bytes = picture.into_bytes();
            let job = PictureJob::view(bytes, picture::VIEW_SIDE);
            let work = cx.effects.picture(job);
            account.people.pictures.decoding.insert(work, asked);
            Ok(())
        }
        None => {
            if asked.from == Source::Pep {
                // Some servers announce a picture that lies in the vCard only.
                let from = Source::Vcard;
                let pictures = &mut account.people.pictures;
                pictures.waiting.push_back(Asked { from, ..asked });
            } else {
                give_up(account, &asked);
            }
            ended(cx, account);
            Ok(())
        }
    }
}

fn handle_own_metadata(
    cx: &mut Context,
    account: &mut Account,
    reply: IqReply,
) -> Result<(), Fault> {
    let published = reply
        .ok()
        .flatten()
        .and_then(|payload| pep::parse_items(&payload, ns::AVATAR_METADATA))
        .and_then(|items| {
            items
                .iter()
                .find_map(|item| avatar::parse_metadata(item.payload.as_ref()?))
        });
    let own = account.address.clone();
    match published {
        Some(Published::Picture(metadata)) => want(cx, account, own, metadata.hash, Source::Pep),
        Some(Published::None) => forget(cx, account, &own),
        None => Ok(()),
    }
}

/// A picture was decoded, if the work was one of this account's.
pub(crate) fn handle_work(
    cx: &mut Context,
    account: &mut Account,
    work: WorkId,
    done: &mut Option<Done>,
) -> Result<bool, Fault> {
    if let Some(to) = account.people.pictures.own.remove(&work) {
        let begun = match done.take() {
            Some(Done::OwnPicture(own)) => own
                .map_err(|error| words::picture(&error))
                .and_then(|own| publish(cx, account, to, Some(own))),
            _ => Err(words::internal()),
        };
        if let Err(error) = begun {
            cx.answer(to, Err(error));
        }
        return Ok(true);
    }
    let Some(asked) = account.people.pictures.decoding.remove(&work) else {
        return Ok(false);
    };
    match done.take() {
        Some(Done::Picture(Ok(png))) => {
            if account.people.pictures.wanted.get(&asked.owner) == Some(&asked.hash) {
                account.people.pictures.wanted.remove(&asked.owner);
                keep(cx, account, &asked.owner, &asked.hash, png)?;
            }
        }
        _ => give_up(account, &asked),
    }
    ended(cx, account);
    Ok(true)
}

fn keep(
    cx: &mut Context,
    account: &mut Account,
    owner: &BareJid,
    hash: &str,
    png: Vec<u8>,
) -> Result<(), Fault> {
    cx.store.avatar_put(&AvatarRow {
        hash: hash.to_owned(),
        mime: "image/png".into(),
        bytes: png,
    })?;
    cx.store
        .avatar_of_set(account.id, owner.as_str(), Some(hash))?;
    note(cx, account, owner)
}

fn give_up(account: &mut Account, asked: &Asked) {
    let pictures = &mut account.people.pictures;
    if pictures.useless.len() < MOST_WAITING {
        pictures.useless.insert(asked.hash.clone());
    }
    if pictures.wanted.get(&asked.owner) == Some(&asked.hash) {
        pictures.wanted.remove(&asked.owner);
    }
}

fn ended(cx: &mut Context, account: &mut Account) {
    let pictures = &mut account.people.pictures;
    pictures.under_way = pictures.under_way.saturating_sub(1);
    ask_next(cx, account);
}

fn note(cx: &mut Context, account: &mut Account, owner: &BareJid) -> Result<(), Fault> {
    if *owner == account.address {
        cx.changes.account(account.id);
        super::send_presence(cx, account)?;
    }
    note_person(cx, account.id, owner.as_str())
}

// ---- what the person asks --------------------------------------------------------------------

pub(super) fn get(cx: &mut Context, hash: &str) -> Answer {
    let row = cx.store.avatar(hash).map_err(Fault::from)?;
    Ok(Some(Reply::Avatar(
        row.map(|row| STANDARD.encode(row.bytes)),
    )))
}

pub(super) fn set(
    cx: &mut Context,
    account: &mut Account,
    to: ReplyTo,
    png: Option<&str>,
) -> Answer {
    match png {
        Some(base64) => {
            let job = PictureJob::own(own_file(base64)?);
            let pictures = &mut online(account)?.people.pictures;
            pictures.own.insert(cx.effects.picture(job), to);
        }
        None => publish(cx, account, to, None)?,
    }
    Ok(None)
}

/// The stream is another one now: whoever waited for an own picture to be published hears it.
pub(super) fn dropped(cx: &mut Context, account: &mut Account) {
    for to in std::mem::take(&mut account.people.pictures.own).into_values() {
        cx.answer(to, Err(words::offline(account.address.as_str())));
    }
}

fn publish(
    cx: &mut Context,
    account: &mut Account,
    to: ReplyTo,
    own: Option<picture::Own>,
) -> Result<(), ApiError> {
    let picture = match own {
        Some(own) => {
            let side = |pixels: usize| u16::try_from(pixels).unwrap_or(u16::MAX);
            Some(Own {
                picture: accepted(own.png).ok_or_else(words::internal)?,
                width: side(own.width),
                height: side(own.height),
            })
        }
        None => None,
    };
    let account = online(account)?;
    let step = match (&picture, account.features.pep) {
        (Some(_), true) => Step::Data,
        (None, true) => Step::Metadata,
        (_, false) => Step::VcardGet,
    };
    let publishing = Publishing { to, picture, step };
    if take_step(cx, account, publishing, None) {
        Ok(())
    } else {
        Err(words::offline(account.address.as_str()))
    }
}

fn own_file(base64: &str) -> Result<Vec<u8>, ApiError> {
    // Four characters for three bytes, and room for line ends.
    if base64.len() > picture::OWN_LARGEST_FILE * 2 {
        return Err(words::picture(&picture::PictureError::TooLarge {
            bytes: base64.len(),
            limit: picture::OWN_LARGEST_FILE,
        }));
    }
    let packed: Vec<u8> = base64
        .bytes()
        .filter(|b| !b.is_ascii_whitespace())
        .collect();
    STANDARD
        .decode(packed)
        .map_err(|_| words::picture(&picture::PictureError::Damaged))
}

/// Sends the iq of a step. `vcard`: my own as the server has it.
fn take_step(
    cx: &mut Context,
    account: &mut Account,
    publishing: Publishing,
    vcard: Option<&Element>,
) -> bool {
    let own = publishing.picture.as_ref();
    let (method, payload) = match (publishing.step, own) {
        (Step::Data, Some(own)) => (iq::Method::Set, avatar::publish_data(&own.picture)),
        (Step::Metadata, Some(own)) => (
            iq::Method::Set,
            avatar::publish_metadata(&own.picture, own.width, own.height),
        ),
        (Step::Data | Step::Metadata, None) => (iq::Method::Set, avatar::publish_none()),
        (Step::VcardGet, _) => (iq::Method::Get, vcard::request()),
        (Step::VcardSet, own) => (
            iq::Method::Set,
            vcard::with_picture(vcard, own.map(|own| &own.picture)),
        ),
    };
    let pending = AccountPending::People(Pending::Publish(Box::new(publishing)));
    account.request(cx, None, method, payload, pending)
}

pub(super) fn handle_published(
    cx: &mut Context,
    account: &mut Account,
    publishing: Publishing,
    reply: IqReply,
) -> Result<(), Fault> {
    let mut vcard = None;
    let next = match (publishing.step, reply) {
        (Step::Data, Ok(_)) => Some(Step::Metadata),
        // Programs of others that know only vCards see it where the server does not convert.
        (Step::Metadata, Ok(_)) if !account.features.avatar_conversion => Some(Step::VcardGet),
        (Step::Metadata | Step::VcardSet, Ok(_)) => None,
        (Step::VcardGet, Ok(payload)) => {
            vcard = payload;
            Some(Step::VcardSet)
        }
        // There is no vCard yet: one with a picture only is made.
        (Step::VcardGet, Err(iq::Failure::Error(error)))
            if error.condition == sotto_xmpp::stanza_error::Condition::ItemNotFound =>
        {
            Some(Step::VcardSet)
        }
        // The picture itself is published; the copy for old programs is not worth an error.
        (Step::VcardGet | Step::VcardSet, Err(_)) if account.features.pep => None,
        (_, Err(failure)) => {
            let error = refusal(account, &failure);
            cx.answer(publishing.to, Err(error));
            return Ok(());
        }
    };
    if let Some(step) = next {
        let to = publishing.to;
        let publishing = Publishing { step, ..publishing };
        if !take_step(cx, account, publishing, vcard.as_ref()) {
            cx.answer(to, Err(words::offline(account.address.as_str())));
        }
        return Ok(());
    }
    let own = account.address.clone();
    account.people.pictures.by_event.insert(own.clone());
    match publishing.picture {
        Some(picture) => {
            let hash = picture.picture.hash().to_owned();
            account.people.pictures.wanted.remove(&own);
            keep(cx, account, &own, &hash, picture.picture.into_bytes())?;
        }
        None => forget(cx, account, &own)?,
    }
    done(cx, publishing.to);
    Ok(())
}
