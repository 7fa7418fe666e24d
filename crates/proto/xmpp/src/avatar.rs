//! Pictures of people (XEP-0084), and which bytes may be one (S-MEDIA-03).
//!
//! Presence names a picture by the same hash (XEP-0153, [`crate::presence::AvatarHint`]); servers
//! with XEP-0398 keep both alike. Older accounts have it in the vCard ([`crate::vcard`]).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minidom::Element;
use sha1::{Digest, Sha1};

use crate::dom::{self, Build, el};
use crate::ns;
use crate::pep::{self, Access};
use crate::stanza_id::hex;

/// Most bytes of a picture (S-MEDIA-03).
pub const MAX_BYTES: usize = 1024 * 1024;

/// A description of a published picture. All of it is the other side's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// SHA-1 of its bytes, lower-case base 16: also the item's id in the data node.
    pub hash: String,
    /// Media type.
    pub media_type: String,
    /// Size in bytes.
    pub bytes: u64,
    /// In pixels, if it says.
    pub width: Option<u16>,
    /// In pixels, if it says.
    pub height: Option<u16>,
}

/// What a metadata node says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// No picture, on purpose.
    None,
    /// A picture that can be asked for.
    Picture(Metadata),
}

/// What the bytes of a picture are, by their first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Format {
    Png,
    Jpeg,
    WebP,
}

impl Format {
    /// Recognises a format by its first bytes, whatever anybody calls it.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if bytes.starts_with(b"\xFF\xD8\xFF") {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(Self::WebP)
        } else {
            None
        }
    }

    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
        }
    }
}

/// Why bytes are not taken as somebody's picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPicture {
    /// There are none, or they are not base64.
    #[error("no picture data")]
    Missing,
    /// More than [`MAX_BYTES`].
    #[error("the picture is larger than 1 MiB")]
    TooLarge,
    /// They do not have the hash that was announced.
    #[error("the picture is not the announced one")]
    OtherHash,
    /// Not PNG, JPEG or WebP.
    #[error("not a PNG, JPEG or WebP picture")]
    UnknownFormat,
}

/// Bytes that may be given to a decoder as somebody's picture. Made by [`accept`] only.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    bytes: Vec<u8>,
    hash: String,
    format: Format,
}

impl Picture {
    /// The bytes, undecoded.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Gives the bytes away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// SHA-1, lower-case base 16.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// What they are.
    pub fn format(&self) -> Format {
        self.format
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({:?}, {} bytes)", self.format, self.bytes.len())
    }
}

/// Checks bytes before anything decodes them (S-MEDIA-03): size, the announced hash (SHA-1, base 16)
/// where there is one, and that they begin like PNG, JPEG or WebP. SVG and others are refused.
pub fn accept(bytes: Vec<u8>, announced: Option<&str>) -> Result<Picture, NoPicture> {
    if bytes.is_empty() {
        return Err(NoPicture::Missing);
    }
    if bytes.len() > MAX_BYTES {
        return Err(NoPicture::TooLarge);
    }
    let hash = hex(&Sha1::digest(&bytes));
    if announced.is_some_and(|announced| !announced.eq_ignore_ascii_case(&hash)) {
        return Err(NoPicture::OtherHash);
    }
    let format = Format::of(&bytes).ok_or(NoPicture::UnknownFormat)?;
    Ok(Picture {
        bytes,
        hash,
        format,
    })
}

/// Reads the metadata in an event or an answer; `None` when it says nothing that we can use.
///
/// Pictures that lie on a web server are passed over: nothing is fetched from anywhere else
/// (S-MEDIA-04).
pub fn parse_metadata(metadata: &Element) -> Option<Published> {
    if !metadata.is("metadata", ns::AVATAR_METADATA) {
        return None;
    }
    let mut any = false;
    for info in metadata
        .children()
        .filter(|child| child.is("info", ns::AVATAR_METADATA))
    {
        any = true;
        if let Some(found) = parse_info(info) {
            return Some(Published::Picture(found));
        }
    }
    (!any).then_some(Published::None)
}

fn parse_info(info: &Element) -> Option<Metadata> {
    if info.attr("url").is_some() {
        return None;
    }
    let hash = dom::attr(info, "id", 40)?.to_ascii_lowercase();
    let bytes: u64 = info.attr("bytes")?.parse().ok()?;
    let media_type = dom::attr(info, "type", 64)?;
    let usable = hash.len() == 40
        && hash.bytes().all(|b| b.is_ascii_hexdigit())
        && bytes <= MAX_BYTES as u64
        && [Format::Png, Format::Jpeg, Format::WebP]
            .iter()
            .any(|format| format.media_type() == media_type);
    usable.then(|| Metadata {
        hash,
        media_type,
        bytes,
        width: info.attr("width").and_then(|width| width.parse().ok()),
        height: info.attr("height").and_then(|height| height.parse().ok()),
    })
}

/// The payload that asks for a picture's bytes: for an iq `get` to its owner's bare JID.
pub fn data_request(hash: &str) -> Element {
    pep::items_request(ns::AVATAR_DATA, Some(hash))
}

/// The payload that asks for the metadata: for an iq `get` to its owner's bare JID.
pub fn metadata_request() -> Element {
    pep::items_request(ns::AVATAR_METADATA, None)
}

/// Reads the payload of the answer to [`data_request`], and checks the bytes.
pub fn parse_data(payload: &Element, hash: &str) -> Result<Picture, NoPicture> {
    let items = pep::parse_items(payload, ns::AVATAR_DATA).unwrap_or_default();
    let data = items
        .iter()
        .find(|item| item.id.eq_ignore_ascii_case(hash))
        .and_then(|item| item.payload.as_ref())
        .filter(|data| data.is("data", ns::AVATAR_DATA))
        .ok_or(NoPicture::Missing)?;
    accept(decode(data)?, Some(hash))
}

/// The base64 text of an element, at most [`MAX_BYTES`] of bytes.
pub(crate) fn decode(element: &Element) -> Result<Vec<u8>, NoPicture> {
    const MAX_TEXT: usize = MAX_BYTES / 3 * 4 + 64 * 1024;
    let text = dom::text_of(element, MAX_TEXT + 1);
    if text.len() > MAX_TEXT {
        return Err(NoPicture::TooLarge);
    }
    let packed: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    STANDARD.decode(packed).map_err(|_| NoPicture::Missing)
}

/// The payload that publishes our picture's bytes: for an iq `set` without `to`, before
/// [`publish_metadata`].
pub fn publish_data(picture: &Picture) -> Element {
    let data = el("data", ns::AVATAR_DATA).text_of(STANDARD.encode(&picture.bytes));
    pep::publish(ns::AVATAR_DATA, &picture.hash, data, Some(Access::Presence))
}

/// The payload that announces our picture: for an iq `set` without `to`.
pub fn publish_metadata(picture: &Picture, width: u16, height: u16) -> Element {
    let info = el("info", ns::AVATAR_METADATA)
        .with("bytes", picture.bytes.len().to_string())
        .with("id", &picture.hash)
        .with("type", picture.format.media_type())
        .with("width", width.to_string())
        .with("height", height.to_string());
    pep::publish(
        ns::AVATAR_METADATA,
        &picture.hash,
        el("metadata", ns::AVATAR_METADATA).child(info),
        Some(Access::Presence),
    )
}

/// The payload that says that we have no picture: for an iq `set` without `to`.
pub fn publish_none() -> Element {
    pep::publish(
        ns::AVATAR_METADATA,
        "current",
        el("metadata", ns::AVATAR_METADATA),
        Some(Access::Presence),
    )
}

#[cfg(test)]
mod tests;
