//! Instance tags: which of a person's programs a message comes from (OTR v3, *Instance Tags*).

use std::fmt;
use std::str::FromStr;

use crate::Random;

/// The smallest tag a program may have; smaller values are reserved.
const SMALLEST: u32 = 0x100;

/// Longest address kept in an [`InstanceId`], bytes (an XMPP address has at most 3,071).
const LONGEST_ADDRESS: usize = 3_071;

/// The tag of one program of one account, 0x100 or more (OTR v3, *Instance Tags*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceTag(u32);

impl InstanceTag {
    /// A tag of this value; `None` below 0x100, which the standard reserves.
    pub fn new(value: u32) -> Option<Self> {
        (value >= SMALLEST).then_some(Self(value))
    }

    /// A tag drawn at random; an account keeps it for as long as it is used on this device.
    pub fn generate(random: Random<'_>) -> Self {
        let mut bytes = [0; 4];
        for _ in 0..16 {
            random(&mut bytes);
            if let Some(tag) = Self::new(u32::from_be_bytes(bytes)) {
                return tag;
            }
        }
        // Sixteen reserved values in a row do not come from a random source.
        Self(SMALLEST | u32::from_be_bytes(bytes))
    }

    /// The value.
    pub fn get(self) -> u32 {
        self.0
    }
}

/// Names one program of the peer within a [`Conversation`](crate::Conversation).
///
/// Its text is stable and may be stored: `v3:5a73b2c1` (the tag) or `v2:leila@example.org/phone`
/// (version 2 knows no tags, so the full address stands in).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(Name);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Name {
    V2(String),
    V3(InstanceTag),
}

impl InstanceId {
    pub(crate) fn v3(tag: InstanceTag) -> Self {
        Self(Name::V3(tag))
    }

    pub(crate) fn v2(address: &str) -> Self {
        Self(Name::V2(address.to_owned()))
    }

    /// The peer's tag; `None` for version 2.
    pub fn tag(&self) -> Option<InstanceTag> {
        match self.0 {
            Name::V3(tag) => Some(tag),
            Name::V2(_) => None,
        }
    }

    /// The protocol version, 2 or 3.
    pub fn version(&self) -> u8 {
        match self.0 {
            Name::V3(_) => 3,
            Name::V2(_) => 2,
        }
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Name::V3(tag) => write!(f, "v3:{:08x}", tag.0),
            Name::V2(address) => write!(f, "v2:{address}"),
        }
    }
}

/// The text does not name an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of an instance")]
pub struct InstanceIdError;

impl FromStr for InstanceId {
    type Err = InstanceIdError;

    fn from_str(text: &str) -> Result<Self, InstanceIdError> {
        if let Some(tag) = text.strip_prefix("v3:") {
            let hex = tag.len() == 8 && tag.bytes().all(|b| b.is_ascii_hexdigit());
            let value = u32::from_str_radix(tag, 16).map_err(|_| InstanceIdError)?;
            let tag = InstanceTag::new(value)
                .filter(|_| hex)
                .ok_or(InstanceIdError)?;
            return Ok(Self::v3(tag));
        }
        match text.strip_prefix("v2:") {
            Some(address) if address.len() <= LONGEST_ADDRESS => Ok(Self::v2(address)),
            _ => Err(InstanceIdError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_tags_do_not_exist() {
        assert_eq!(InstanceTag::new(0xff), None);
        assert_eq!(InstanceTag::new(0x100).map(InstanceTag::get), Some(0x100));
        let mut zeros = |bytes: &mut [u8]| bytes.fill(0);
        assert!(InstanceTag::generate(&mut zeros).get() >= SMALLEST);
    }

    #[test]
    fn the_text_of_an_instance_is_stable() {
        for text in ["v3:5a73b2c1", "v2:leila@example.org/phone", "v2:"] {
            assert_eq!(text.parse::<InstanceId>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "v3:",
            "v3:000000ff",
            "v3:5a73b2c",
            "v3:+5a73b2c",
            "v4:5a73b2c1",
        ] {
            assert_eq!(text.parse::<InstanceId>(), Err(InstanceIdError), "{text}");
        }
    }
}
