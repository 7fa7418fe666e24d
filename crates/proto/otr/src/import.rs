//! Keys, trust and tags of other programs, read from the text of their files: libotr's
//! `otr.private_key`, `otr.fingerprints` and `otr.instance_tags` (Pidgin, Adium, Profanity), and the
//! keys that Jitsi keeps in its settings.
//!
//! Every reader is total: whatever the text holds, it gives what can be used or an error.

mod der;
mod sexp;

use thiserror::Error;
use zeroize::Zeroizing;

use self::sexp::Node;
use crate::encoding::base64_decode;
use crate::keypair::{Fingerprint, KeyError, Keypair};

/// The longest file that is read, in bytes.
const MAX_FILE: usize = 4 * 1024 * 1024;

/// Why nothing could be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ImportError {
    /// More than 4 MiB.
    #[error("the file is too large")]
    TooLarge,
    /// Not in the form of such a file.
    #[error("this is not a file of this kind")]
    Malformed,
    /// It holds no key.
    #[error("there is no key in it")]
    Empty,
    /// A key that OTR cannot use.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// An own key of another program.
#[derive(Clone, Debug)]
pub struct ImportedKey {
    /// The account, as that program names it: for XMPP an address, often with a resource.
    pub account: String,
    /// The protocol, as that program names it: "prpl-jabber", "xmpp".
    pub protocol: String,
    /// The key.
    pub keypair: Keypair,
}

/// What another program knows about a peer's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedTrust {
    /// The peer's address.
    pub peer: String,
    /// The own account it was seen by.
    pub account: String,
    /// The protocol, as that program names it.
    pub protocol: String,
    /// The fingerprint.
    pub fingerprint: Fingerprint,
    /// What vouches for it, "verified" or "smp" in most programs; empty if it was never verified.
    pub trust: String,
}

/// The instance tag of one account in another program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedTag {
    /// The account.
    pub account: String,
    /// The protocol, as that program names it.
    pub protocol: String,
    /// The tag, 0x100 or more.
    pub tag: u32,
}

/// Reads libotr's `otr.private_key`.
///
/// Fails if the file is not of this form, if it holds no key, or if one of its keys is broken.
pub fn private_keys(text: &str) -> Result<Vec<ImportedKey>, ImportError> {
    let root = sexp::parse(bounded(text)?).ok_or(ImportError::Malformed)?;
    let accounts = root.list("privkeys").ok_or(ImportError::Malformed)?;
    let keys = accounts
        .iter()
        .filter_map(|node| node.list("account"))
        .map(account)
        .collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        return Err(ImportError::Empty);
    }
    Ok(keys)
}

fn account(fields: &[Node]) -> Result<ImportedKey, ImportError> {
    let text = |name: &str| {
        let value = sexp::value(fields, name).ok_or(ImportError::Malformed)?;
        Ok::<_, ImportError>(String::from_utf8_lossy(value).into_owned())
    };
    let key = sexp::find(fields, "private-key").ok_or(ImportError::Malformed)?;
    let dsa = sexp::find(key, "dsa").ok_or(KeyError::Kind)?;
    let number = |name: &str| sexp::value(dsa, name).ok_or(KeyError::Malformed);
    let keypair = Keypair::from_numbers(
        number("p")?,
        number("q")?,
        number("g")?,
        Some(number("y")?),
        number("x")?,
    )?;
    Ok(ImportedKey {
        account: text("name")?,
        protocol: text("protocol")?,
        keypair,
    })
}

/// Reads libotr's `otr.fingerprints`; lines of another form are passed over.
///
/// Fails only if the file is too large.
pub fn fingerprints(text: &str) -> Result<Vec<ImportedTrust>, ImportError> {
    let rows = bounded(text)?.lines().filter_map(|line| {
        let mut fields = line.trim_end_matches('\r').split('\t');
        Some(ImportedTrust {
            peer: filled(fields.next()?)?,
            account: filled(fields.next()?)?,
            protocol: filled(fields.next()?)?,
            fingerprint: fields.next()?.parse().ok()?,
            trust: fields.next().unwrap_or_default().to_owned(),
        })
    });
    Ok(rows.collect())
}

/// Reads libotr's `otr.instance_tags`; comments, lines of another form, and tags below 0x100 are
/// passed over.
///
/// Fails only if the file is too large.
pub fn instance_tags(text: &str) -> Result<Vec<ImportedTag>, ImportError> {
    let lines = bounded(text)?.lines().filter(|line| !line.starts_with('#'));
    let rows = lines.filter_map(|line| {
        let mut fields = line.trim_end_matches('\r').split('\t');
        let account = filled(fields.next()?)?;
        let protocol = filled(fields.next()?)?;
        let tag = u32::from_str_radix(fields.next()?.trim(), 16).ok()?;
        (tag >= 0x100).then_some(ImportedTag {
            account,
            protocol,
            tag,
        })
    });
    Ok(rows.collect())
}

/// Reads the key of one account from Jitsi's settings: the values of `…_privateKey` (PKCS#8) and,
/// if it is there, `…_publicKey` (X.509), both in Base64.
///
/// Fails if the key is not DSA with 1024 bits (Jitsi made larger ones for some years, and no OTR
/// program can use them), or if the two halves do not belong together.
pub fn jitsi_key(private: &str, public: Option<&str>) -> Result<Keypair, ImportError> {
    let private = base64(private)?;
    let (domain, x) = der::private_key(&private).ok_or(KeyError::Malformed)?;
    let public = public.map(base64).transpose()?;
    let mut y = None;
    if let Some(public) = &public {
        let (other, number) = der::public_key(public).ok_or(KeyError::Malformed)?;
        if other != domain {
            return Err(KeyError::Inconsistent.into());
        }
        y = Some(number);
    }
    let [p, q, g] = domain;
    Ok(Keypair::from_numbers(p, q, g, y, x)?)
}

fn base64(text: &str) -> Result<Zeroizing<Vec<u8>>, ImportError> {
    let mut letters = Zeroizing::new(String::with_capacity(text.len()));
    letters.extend(bounded(text)?.chars().filter(|c| !c.is_whitespace()));
    base64_decode(&letters).map_err(|_| ImportError::Malformed)
}

fn bounded(text: &str) -> Result<&str, ImportError> {
    if text.len() > MAX_FILE {
        return Err(ImportError::TooLarge);
    }
    Ok(text)
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
