use std::fmt;

use zeroize::Zeroizing;

use super::hash::Hash;

/// What it takes to derive the keys of one login; slow by design, so run it on a thread of its own.
pub struct ScramKeyJob {
    /// Goes back with the keys to [`crate::stream::ClientStream::handle_scram_key`].
    pub job: u64,
    pub(crate) hash: Hash,
    pub(crate) salt: Vec<u8>,
    pub(crate) iterations: u32,
    pub(crate) password: Zeroizing<String>,
}

impl ScramKeyJob {
    /// Which hash.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// How many rounds; 4,096 to 1,000,000.
    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    /// Derives the keys (RFC 5802 §3). Takes milliseconds to about a second.
    pub fn derive(&self) -> ScramKeys {
        let salted = self
            .hash
            .salted(self.password.as_bytes(), &self.salt, self.iterations);
        ScramKeys {
            client: self.hash.hmac(&salted, b"Client Key"),
            server: self.hash.hmac(&salted, b"Server Key"),
        }
    }
}

impl fmt::Debug for ScramKeyJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramKeyJob")
            .field("job", &self.job)
            .field("hash", &self.hash)
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

/// `ClientKey` and `ServerKey` of RFC 5802 §3; worth as much as the password at this server.
pub struct ScramKeys {
    pub(crate) client: Zeroizing<Vec<u8>>,
    pub(crate) server: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScramKeys")
    }
}
