/// Bytes that came, divided into those that are certainly UTF-8 and the rest (RFC 3629).
///
/// The parser sees nothing else, so that no two readers of one stream can divide it differently
/// (S-XML-03).
#[derive(Default)]
pub(crate) struct Utf8 {
    bytes: Vec<u8>,
    /// What was consumed of `bytes`.
    start: usize,
    /// Up to here `bytes` is valid.
    valid: usize,
    broken: bool,
}

impl Utf8 {
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.valid -= self.start;
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
        if self.broken {
            return;
        }
        let unchecked = self.bytes.get(self.valid..).unwrap_or_default();
        match std::str::from_utf8(unchecked) {
            Ok(_) => self.valid = self.bytes.len(),
            Err(error) => {
                self.valid += error.valid_up_to();
                self.broken = error.error_len().is_some();
            }
        }
    }

    /// What is valid and not consumed yet.
    pub fn valid(&self) -> &[u8] {
        self.bytes.get(self.start..self.valid).unwrap_or_default()
    }

    pub fn consume(&mut self, used: usize) {
        self.start = (self.start + used).min(self.valid);
    }

    /// Behind the valid bytes stand some that never become UTF-8.
    pub fn is_broken(&self) -> bool {
        self.broken && self.start == self.valid
    }

    pub fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Takes out all that is not consumed.
    pub fn take(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.drain(..self.start);
        *self = Self::default();
        bytes
    }
}
