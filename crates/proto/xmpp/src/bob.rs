//! Bits of binary (XEP-0231): small data that come along with a form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minidom::Element;
use sha1::{Digest, Sha1};
use sha2::Sha256;

use crate::dom::{self, Build, el};
use crate::ns;
use crate::stanza_id::hex;
use crate::text;

/// Most bytes of one piece of data.
pub const MAX_BYTES: usize = 256 * 1024;

/// A piece of data whose hash was checked where its id names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bob {
    /// Its content id: `sha1+…@bob.xmpp.org`.
    pub cid: String,
    /// Media type as the sender says.
    pub media_type: String,
    /// The data.
    pub bytes: Vec<u8>,
}

impl Bob {
    /// Reads a `<data/>`; `None` when it is none, too large, or not what its id says.
    pub fn parse(data: &Element) -> Option<Self> {
        if !data.is("data", ns::BOB) {
            return None;
        }
        let text = dom::text_of(data, MAX_BYTES * 2);
        let packed: Vec<u8> = text
            .bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        let bytes = STANDARD.decode(packed).ok()?;
        let cid = dom::attr(data, "cid", 256)?;
        let usable = !bytes.is_empty() && bytes.len() <= MAX_BYTES && matches(&cid, &bytes);
        usable.then(|| Self {
            cid,
            media_type: text::one_line(data.attr("type").unwrap_or_default(), 128),
            bytes,
        })
    }
}

/// Whether data have the hash in their id; ids with other hashes, or none, prove nothing and pass:
/// the data came from the same server in the same answer.
fn matches(cid: &str, bytes: &[u8]) -> bool {
    let Some((algorithm, rest)) = cid.split_once('+') else {
        return true;
    };
    let hash = rest.split('@').next().unwrap_or(rest);
    match algorithm {
        "sha1" => hash.eq_ignore_ascii_case(&hex(&Sha1::digest(bytes))),
        "sha-256" => hash.eq_ignore_ascii_case(&hex(&Sha256::digest(bytes))),
        _ => true,
    }
}

/// The payload that asks for data: for an iq `get` to whoever named them.
pub fn request(cid: &str) -> Element {
    el("data", ns::BOB).with("cid", cid)
}
