//! Which mechanism is used, and whether that is less than before.

use super::hash::Hash;
use super::scram::Gs2;
use crate::stream::{Login, MechanismMemory, StreamFailure, TlsBinding};

const EXPORTER: &str = "tls-exporter";
const SERVER_END_POINT: &str = "tls-server-end-point";

/// What a server offers for signing in, by one of the two SASL profiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offer {
    /// As listed.
    pub mechanisms: Vec<String>,
    /// Types of channel binding, where the server lists them (XEP-0440).
    pub bindings: Option<Vec<String>>,
}

/// How to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    External,
    Scram {
        hash: Hash,
        gs2: Gs2,
        /// The list of binding types looks tampered with (XEP-0440 §3 rule 6): go on only if the
        /// server proves its offer (XEP-0474).
        proof_needed: bool,
    },
    Plain,
}

impl Choice {
    /// The SASL name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::External => "EXTERNAL",
            Self::Scram {
                hash,
                gs2: Gs2::Bound { .. },
                ..
            } => hash.mechanism_plus(),
            Self::Scram { hash, .. } => hash.mechanism(),
            Self::Plain => "PLAIN",
        }
    }

    /// What is remembered of a login by this.
    pub fn memory(&self) -> MechanismMemory {
        let (mechanism, channel_binding) = match self {
            Self::External => ("EXTERNAL", false),
            Self::Scram { hash, gs2, .. } => (hash.mechanism(), matches!(gs2, Gs2::Bound { .. })),
            Self::Plain => ("PLAIN", false),
        };
        MechanismMemory {
            mechanism: mechanism.to_owned(),
            channel_binding,
        }
    }

    fn strength(&self) -> u8 {
        strength(self.memory().mechanism.as_str())
    }
}

impl Offer {
    fn offers(&self, mechanism: &str) -> bool {
        self.mechanisms.iter().any(|offered| offered == mechanism)
    }

    fn offers_plus(&self) -> bool {
        self.mechanisms
            .iter()
            .any(|offered| offered.starts_with("SCRAM-") && offered.ends_with("-PLUS"))
    }

    /// Whether it names mechanisms that bind, but not how (XEP-0440 §3 rule 4: undefined for the first
    /// SASL profile, forbidden for the second).
    pub fn binds_without_types(&self) -> bool {
        self.offers_plus() && self.bindings.is_none()
    }

    /// What XEP-0474 hashes (§4.1).
    pub fn downgrade_input(&self) -> Vec<u8> {
        let joined = |list: &[String]| {
            let mut list: Vec<&str> = list.iter().map(String::as_str).collect();
            list.sort_unstable();
            list.join("\u{1e}")
        };
        let mut input = joined(&self.mechanisms);
        if let Some(bindings) = &self.bindings {
            input.push('\u{1f}');
            input.push_str(&joined(bindings));
        }
        input.into_bytes()
    }

    /// The strongest way that both sides can and the login allows, without those in `failed`.
    pub fn choose(
        &self,
        login: &Login,
        tls: &TlsBinding,
        failed: &[&str],
    ) -> Result<Choice, StreamFailure> {
        let choice = self.strongest(login, tls, failed)?;
        self.check_memory(login, &choice)?;
        Ok(choice)
    }

    fn strongest(
        &self,
        login: &Login,
        tls: &TlsBinding,
        failed: &[&str],
    ) -> Result<Choice, StreamFailure> {
        let usable = |name: &str| self.offers(name) && !failed.contains(&name);
        if login.external && usable("EXTERNAL") {
            return Ok(Choice::External);
        }
        if login.password.is_none() {
            return Err(StreamFailure::NoPassword);
        }
        let hashes = [Hash::Sha512, Hash::Sha256, Hash::Sha1];
        let binding = self.binding(tls);
        if let Some(gs2) = &binding
            && let Some(hash) = hashes
                .into_iter()
                .find(|hash| usable(hash.mechanism_plus()))
        {
            return Ok(Choice::Scram {
                hash,
                gs2: gs2.clone(),
                proof_needed: false,
            });
        }
        if let Some(hash) = hashes.into_iter().find(|hash| usable(hash.mechanism())) {
            let able = tls.exporter.is_some() || tls.server_end_point.is_some();
            if binding.is_some() && !self.offers_plus() {
                return Err(
                    self.downgrade("channel binding is announced without a mechanism for it")
                );
            }
            let gs2 = if able && !self.offers_plus() && self.bindings.is_none() {
                Gs2::ClientOnly
            } else {
                Gs2::None
            };
            return Ok(Choice::Scram {
                hash,
                gs2,
                proof_needed: self.types_look_stripped(),
            });
        }
        if login.allow_plain && usable("PLAIN") {
            return Ok(Choice::Plain);
        }
        Err(StreamFailure::MechanismTooWeak {
            offered: self.mechanisms.clone(),
        })
    }

    /// The strongest binding of both sides. A server that does not list its types is not guessed at:
    /// ejabberd 23 offers -PLUS and then refuses `tls-exporter`.
    fn binding(&self, tls: &TlsBinding) -> Option<Gs2> {
        let listed = self.bindings.as_ref()?;
        let lists = |name: &str| listed.iter().any(|listed| listed == name);
        if let Some(exporter) = tls.exporter.filter(|_| lists(EXPORTER)) {
            return Some(Gs2::Bound {
                name: EXPORTER,
                data: exporter.to_vec(),
            });
        }
        let data = tls
            .server_end_point
            .clone()
            .filter(|_| lists(SERVER_END_POINT))?;
        Some(Gs2::Bound {
            name: SERVER_END_POINT,
            data,
        })
    }

    /// XEP-0440 §3 rule 6: every server must list `tls-server-end-point`.
    fn types_look_stripped(&self) -> bool {
        self.offers_plus()
            && self
                .bindings
                .as_ref()
                .is_some_and(|listed| !listed.iter().any(|name| name == SERVER_END_POINT))
    }

    fn check_memory(&self, login: &Login, choice: &Choice) -> Result<(), StreamFailure> {
        let Some(remembered) = &login.remembered else {
            return Ok(());
        };
        // A client certificate that is no longer used is the person's choice, not the server's.
        if remembered.mechanism == "EXTERNAL" && !login.external {
            return Ok(());
        }
        if choice.strength() < strength(&remembered.mechanism) {
            return Err(self.downgrade(&format!(
                "{} was used before and is not offered any more",
                remembered.mechanism
            )));
        }
        if remembered.channel_binding
            && *choice != Choice::External
            && !choice.memory().channel_binding
        {
            return Err(self.downgrade("the sign-in was bound to the TLS connection before"));
        }
        Ok(())
    }

    fn downgrade(&self, reason: &str) -> StreamFailure {
        StreamFailure::Downgrade {
            reason: reason.to_owned(),
            offered: self.mechanisms.clone(),
        }
    }
}

fn strength(mechanism: &str) -> u8 {
    match mechanism {
        "EXTERNAL" => 5,
        "SCRAM-SHA-512" => 4,
        "SCRAM-SHA-256" => 3,
        "SCRAM-SHA-1" => 2,
        "PLAIN" => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
