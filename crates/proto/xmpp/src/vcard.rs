//! The picture in a vcard-temp (XEP-0054), for accounts without XEP-0084.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minidom::Element;

use crate::avatar::{self, NoPicture, Picture};
use crate::dom::{self, Build, el};
use crate::ns;
use crate::text;

/// The payload that asks for a vCard: for an iq `get` to a bare JID, or without `to` for our own.
pub fn request() -> Element {
    el("vCard", ns::VCARD)
}

/// The picture in the payload of the answer; `announced` is the hash that presence named.
pub fn picture(vcard: &Element, announced: Option<&str>) -> Result<Picture, NoPicture> {
    let data = Some(vcard)
        .filter(|vcard| vcard.is("vCard", ns::VCARD))
        .and_then(|vcard| vcard.get_child("PHOTO", ns::VCARD))
        .and_then(|photo| photo.get_child("BINVAL", ns::VCARD))
        .ok_or(NoPicture::Missing)?;
    avatar::accept(avatar::decode(data)?, announced)
}

/// The name in a vCard, one line: `NICKNAME`, else `FN`. Untrusted.
pub fn name(vcard: &Element) -> Option<String> {
    ["NICKNAME", "FN"].into_iter().find_map(|field| {
        let name = dom::child_text(vcard, field, ns::VCARD, 1024)?;
        Some(text::one_line(&name, crate::presence::MAX_NICK)).filter(|name| !name.is_empty())
    })
}

/// Our own vCard with its picture replaced or removed, everything else kept: the payload of an iq
/// `set` without `to`. A vCard can only be set as a whole, so that it must be fetched before.
pub fn with_picture(vcard: Option<&Element>, picture: Option<&Picture>) -> Element {
    let mut changed = match vcard.filter(|vcard| vcard.is("vCard", ns::VCARD)) {
        Some(vcard) => vcard.clone(),
        None => el("vCard", ns::VCARD),
    };
    while changed.remove_child("PHOTO", ns::VCARD).is_some() {}
    changed.child_opt(picture.map(|picture| {
        el("PHOTO", ns::VCARD)
            .child(el("TYPE", ns::VCARD).text_of(picture.format().media_type()))
            .child(el("BINVAL", ns::VCARD).text_of(STANDARD.encode(picture.bytes())))
    }))
}
