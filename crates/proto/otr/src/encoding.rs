//! The data types of OTR v3, *Overview › Data types*: integers, DATA, MPI, TLV, and the Base64 they
//! travel in.
//!
//! Every length is compared with what is left before anything is allocated.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use zeroize::Zeroizing;

/// The largest MPI that is read, in bytes without leading zeros: 2048 bits.
pub(crate) const MAX_MPI: usize = 256;

/// The longest Base64 text that is decoded, in bytes (S-OTR-05: a message is at most 1 MiB).
pub(crate) const MAX_BASE64: usize = 1024 * 1024;

/// Bytes that are not what OTR writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum DecodeError {
    /// A length runs past the end.
    #[error("the message is shorter than it says")]
    Truncated,
    /// Something follows the last field.
    #[error("the message is longer than it says")]
    Trailing,
    /// A number or a text above the limits here.
    #[error("a part of the message is too large")]
    TooLarge,
    /// Not Base64.
    #[error("the message is not Base64")]
    Base64,
}

/// Reads fields from the front of a message.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What has not been read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Whether everything has been read.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Fails if something is left.
    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::Trailing)
        }
    }

    /// The next `count` bytes.
    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self
            .0
            .split_at_checked(count)
            .ok_or(DecodeError::Truncated)?;
        self.0 = tail;
        Ok(head)
    }

    /// The next `N` bytes as an array: CTR, MAC.
    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, tail) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(DecodeError::Truncated)?;
        self.0 = tail;
        Ok(*head)
    }

    /// BYTE.
    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        self.fixed().map(u8::from_be_bytes)
    }

    /// SHORT.
    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.fixed().map(u16::from_be_bytes)
    }

    /// INT.
    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.fixed().map(u32::from_be_bytes)
    }

    /// DATA: four bytes of length, then that many bytes.
    pub(crate) fn data(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = usize::try_from(self.u32()?).map_err(|_| DecodeError::TooLarge)?;
        self.bytes(length)
    }

    /// MPI: like DATA, a big-endian number. Leading zeros are tolerated and dropped, as libotr does.
    pub(crate) fn mpi(&mut self) -> Result<&'a [u8], DecodeError> {
        let number = strip_zeros(self.data()?);
        if number.len() > MAX_MPI {
            return Err(DecodeError::TooLarge);
        }
        Ok(number)
    }
}

/// Writes fields one after the other; wiped when dropped.
#[derive(Default)]
pub(crate) struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    /// Starts with nothing.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Raw bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        // Growing by hand: a vector that grows by itself leaves its old bytes behind.
        let needed = self.0.len().saturating_add(bytes.len());
        if needed > self.0.capacity() {
            let mut grown = Zeroizing::new(Vec::with_capacity(needed.saturating_mul(2).max(256)));
            grown.extend_from_slice(&self.0);
            self.0 = grown;
        }
        self.0.extend_from_slice(bytes);
        self
    }

    /// BYTE.
    pub(crate) fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    /// SHORT.
    pub(crate) fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// INT.
    pub(crate) fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// DATA. What is longer than four bytes of length can say is cut; nothing here comes near.
    pub(crate) fn data(&mut self, data: &[u8]) -> &mut Self {
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        self.u32(length);
        self.bytes(data)
    }

    /// MPI: a big-endian number, leading zeros dropped.
    pub(crate) fn mpi(&mut self, number: &[u8]) -> &mut Self {
        self.data(strip_zeros(number))
    }

    /// What has been written so far.
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// Everything that was written.
    pub(crate) fn finish(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

/// A type/length/value record of a data message (OTR v3, *Type/Length/Value Records*).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Tlv {
    /// The type.
    pub(crate) kind: u16,
    /// The value, at most 65,535 bytes.
    pub(crate) value: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Tlv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tlv {{ kind: {}, .. }}", self.kind)
    }
}

impl Tlv {
    /// A record with a value.
    pub(crate) fn new(kind: u16, value: impl Into<Zeroizing<Vec<u8>>>) -> Self {
        Self {
            kind,
            value: value.into(),
        }
    }

    /// Reads one record.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let kind = reader.u16()?;
        let length = usize::from(reader.u16()?);
        Ok(Self::new(kind, reader.bytes(length)?.to_vec()))
    }

    /// Writes the record; fails if the value is longer than a record can hold.
    pub(crate) fn write(&self, writer: &mut Writer) -> Result<(), DecodeError> {
        let length = u16::try_from(self.value.len()).map_err(|_| DecodeError::TooLarge)?;
        writer.u16(self.kind).u16(length).bytes(&self.value);
        Ok(())
    }
}

/// A big-endian number without its leading zeros.
pub(crate) fn strip_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// Decodes Base64 with padding, strictly; the empty text is no message.
pub(crate) fn base64_decode(text: &str) -> Result<Zeroizing<Vec<u8>>, DecodeError> {
    if text.len() > MAX_BASE64 {
        return Err(DecodeError::TooLarge);
    }
    if text.is_empty() {
        return Err(DecodeError::Base64);
    }
    let bytes = STANDARD.decode(text).map_err(|_| DecodeError::Base64)?;
    Ok(Zeroizing::new(bytes))
}

/// Encodes Base64 with padding.
pub(crate) fn base64_encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests;
