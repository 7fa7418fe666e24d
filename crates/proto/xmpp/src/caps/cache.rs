use std::collections::{HashMap, VecDeque};

use super::{Caps, Hash, Proven};
use crate::disco::Info;

/// Most entries of a cache (S-XMPP-15).
pub const MAX_CACHED: usize = 2000;

/// Proved abilities, per algorithm and hash; the oldest go first.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    known: HashMap<(Hash, String), Info>,
    order: VecDeque<(Hash, String)>,
}

impl Cache {
    /// Keeps what was proved.
    pub fn insert(&mut self, caps: &Caps, proven: Proven) {
        let key = (caps.hash, caps.ver.clone());
        if self.known.insert(key.clone(), proven.0).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > MAX_CACHED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// What is known for a hash.
    pub fn find(&self, caps: &Caps) -> Option<&Info> {
        self.known.get(&(caps.hash, caps.ver.clone()))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}
