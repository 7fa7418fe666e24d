//! Entity capabilities (XEP-0115): a hash that stands for what a program can do.

mod cache;

use minidom::Element;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::data_form::{DataForm, FieldType};
use crate::disco::{Identity, Info};
use crate::dom::{self, Build, el};
use crate::ns;

pub use cache::{Cache, MAX_CACHED};

/// Names the program; a reserved host, since nothing is ever fetched from it.
pub const NODE: &str = "https://sotto.example/";

/// The hash of a program's abilities (XEP-0115 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Hash {
    Sha1,
    Sha256,
}

impl Hash {
    /// The name of IANA's registry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha-1",
            Self::Sha256 => "sha-256",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "sha-1" => Some(Self::Sha1),
            "sha-256" => Some(Self::Sha256),
            _ => None,
        }
    }
}

/// What presence says about a program's abilities; not yet verified.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caps {
    /// Which program.
    pub node: String,
    /// The hash, base64.
    pub ver: String,
    /// How it was made.
    pub hash: Hash,
}

/// Why an answer does not prove what presence said: it may be used for this address and this
/// stream, but goes into no cache (S-XMPP-15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// XEP-0115 §5.4: identities, features or forms are doubled, or a form has no single type.
    #[error("the answer is ill-formed")]
    IllFormed,
    /// The hash is another.
    #[error("the hash does not match")]
    Mismatch,
}

/// Abilities whose hash was checked: what a cache may hold. Made by [`verify`] only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven(Info);

impl Proven {
    /// What was proved.
    pub fn info(&self) -> &Info {
        &self.0
    }
}

impl Caps {
    /// What presence says (XEP-0115 §4). Without `hash` it is of the old format and says nothing.
    pub fn of(presence: &Element) -> Option<Self> {
        let c = dom::only_child(presence, "c", ns::CAPS)?;
        Some(Self {
            node: dom::attr(c, "node", 1024)?,
            ver: dom::attr(c, "ver", 128)?,
            hash: Hash::parse(c.attr("hash")?)?,
        })
    }

    /// Sotto's own.
    pub fn sotto() -> Self {
        Self {
            node: NODE.to_owned(),
            ver: generate(&Info::sotto(), Hash::Sha1)
                .expect("our own information is well formed; a test says so"),
            hash: Hash::Sha1,
        }
    }

    /// The node to ask about (XEP-0115 §6.2).
    pub fn query_node(&self) -> String {
        format!("{}#{}", self.node, self.ver)
    }

    /// The element in presence.
    pub fn to_element(&self) -> Element {
        el("c", ns::CAPS)
            .with("hash", self.hash.name())
            .with("node", &self.node)
            .with("ver", &self.ver)
    }
}

/// Checks an answer against what presence said (XEP-0115 §5.4).
pub fn verify(caps: &Caps, info: Info) -> Result<Proven, Unproven> {
    if generate(&info, caps.hash)? == caps.ver {
        Ok(Proven(info))
    } else {
        Err(Unproven::Mismatch)
    }
}

/// The verification string's hash (XEP-0115 §5.1), base64.
pub fn generate(info: &Info, hash: Hash) -> Result<String, Unproven> {
    let text = verification_string(info)?;
    Ok(match hash {
        Hash::Sha1 => STANDARD.encode(Sha1::digest(text.as_bytes())),
        Hash::Sha256 => STANDARD.encode(Sha256::digest(text.as_bytes())),
    })
}

fn verification_string(info: &Info) -> Result<String, Unproven> {
    let identity = |i: &Identity| [&i.category, &i.kind, &i.lang, &i.name].map(String::clone);
    let mut identities: Vec<_> = info.identities.iter().map(identity).collect();
    identities.sort();
    let mut features: Vec<_> = info.features.iter().collect();
    features.sort();
    if doubled(&identities) || doubled(&features) {
        return Err(Unproven::IllFormed);
    }
    let mut parts: Vec<String> = identities.iter().map(|i| i.join("/")).collect();
    parts.extend(features.into_iter().cloned());
    parts.extend(form_parts(&info.forms)?);
    // A `<` inside would let two different answers make the same string (XEP-0115 §5.1, note on
    // preimages).
    if parts.iter().any(|part| part.contains('<')) {
        return Err(Unproven::IllFormed);
    }
    Ok(parts.into_iter().fold(String::new(), |mut text, part| {
        text.push_str(&part);
        text.push('<');
        text
    }))
}

fn form_parts(forms: &[DataForm]) -> Result<Vec<String>, Unproven> {
    let mut typed = Vec::new();
    for form in forms {
        let Some(field) = form.field("FORM_TYPE") else {
            continue;
        };
        // §5.4 step 3.6: without the type `hidden` the form is ignored.
        if field.field_type != FieldType::Hidden {
            continue;
        }
        let [form_type] = field.values.as_slice() else {
            return Err(Unproven::IllFormed);
        };
        typed.push((form_type, form));
    }
    typed.sort_by_key(|(form_type, _)| *form_type);
    if typed.windows(2).any(|pair| match pair {
        [(a, _), (b, _)] => a == b,
        _ => false,
    }) {
        return Err(Unproven::IllFormed);
    }
    let mut parts = Vec::new();
    for (form_type, form) in typed {
        parts.push(form_type.clone());
        let mut fields: Vec<_> = form
            .fields
            .iter()
            .filter(|field| field.var != "FORM_TYPE" && !field.var.is_empty())
            .collect();
        fields.sort_by(|a, b| a.var.cmp(&b.var));
        for field in fields {
            parts.push(field.var.clone());
            let mut values = field.values.clone();
            values.sort();
            parts.extend(values);
        }
    }
    Ok(parts)
}

fn doubled<T: PartialEq>(sorted: &[T]) -> bool {
    sorted.windows(2).any(|pair| match pair {
        [a, b] => a == b,
        _ => false,
    })
}

#[cfg(test)]
mod tests;
