//! The networks and the public servers that Sotto knows: data, not code.

use serde::Deserialize;
use sotto_api::ServerOverride;
use sotto_api::view::{NetworkStatus, NetworkView, ServerView};

const NETWORKS: &str = include_str!("../data/networks.toml");
const SERVERS: &str = include_str!("../data/servers.toml");

/// Why a table of networks does not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworksError {
    /// It is not well formed.
    #[error("the table of networks does not read: {source}")]
    Syntax {
        /// Where and why.
        source: toml::de::Error,
    },
    /// Two rows share an id.
    #[error("the network {id} stands there twice")]
    Twice {
        /// Which.
        id: String,
    },
    /// A withdrawn network must say since when and why.
    #[error("the network {id} is withdrawn without a reason")]
    NoReason {
        /// Which.
        id: String,
    },
}

/// Which protocol a network speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// RFC 6120.
    Xmpp,
    /// RFC 3261.
    Sip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Active,
    Planned,
    Withdrawn,
}

/// Why a network cannot be used any more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// Since when.
    pub year: u16,
    /// One sentence.
    pub reason: String,
    /// One sentence.
    pub instead: String,
}

/// What a network that takes application passwords wants said after a refused one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppPassword {
    /// One sentence.
    pub text: String,
    /// Where one is made.
    pub page: Option<String>,
}

/// A row of `networks.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    id: String,
    name: String,
    protocol: Protocol,
    summary: String,
    example: String,
    status: Status,
    #[serde(default)]
    register: bool,
    suffix: Option<String>,
    server: Option<ServerOverride>,
    app_password: Option<AppPassword>,
    sign_up: Option<String>,
    help: Option<String>,
    withdrawn: Option<Withdrawal>,
}

impl Network {
    /// As people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Example of an address.
    pub fn example(&self) -> &str {
        &self.example
    }

    /// Whether it can be used in this version.
    pub fn is_active(&self) -> bool {
        self.status == Status::Active && self.protocol == Protocol::Xmpp
    }

    /// Whether an account can be made from inside.
    pub fn can_register(&self) -> bool {
        self.register && self.is_active()
    }

    /// Why it cannot be used any more, if that is so.
    pub fn withdrawal(&self) -> Option<&Withdrawal> {
        self.withdrawn
            .as_ref()
            .filter(|_| self.status == Status::Withdrawn)
    }

    /// Where its accounts connect instead of asking DNS. Settings of the account come before it.
    pub fn server(&self) -> Option<&ServerOverride> {
        self.server.as_ref()
    }

    /// What to say after a refused password, where the network takes application passwords.
    pub fn app_password(&self) -> Option<&AppPassword> {
        self.app_password.as_ref()
    }

    /// What was typed, without space around it, and completed where it is a bare name on a network
    /// that has a suffix. Not checked otherwise.
    pub fn complete(&self, typed: &str) -> String {
        let typed = typed.trim();
        match &self.suffix {
            Some(suffix) if !typed.is_empty() && !typed.contains('@') => {
                format!("{typed}@{suffix}")
            }
            _ => typed.to_owned(),
        }
    }

    /// The row as a shell shows it.
    pub fn view(&self) -> NetworkView {
        NetworkView {
            id: self.id.clone(),
            name: self.name.clone(),
            summary: self.summary.clone(),
            example: self.example.clone(),
            can_register: self.can_register(),
            sign_up: self.sign_up.clone(),
            help: self.help.clone(),
            status: match (self.status, &self.withdrawn) {
                (Status::Active, _) if self.is_active() => NetworkStatus::Active,
                (Status::Withdrawn, Some(gone)) => NetworkStatus::Withdrawn {
                    year: gone.year,
                    reason: gone.reason.clone(),
                    instead: gone.instead.clone(),
                },
                // A withdrawal without a reason does not parse.
                _ => NetworkStatus::Planned,
            },
        }
    }
}

/// All networks, in the order to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkTable {
    network: Vec<Network>,
}

impl Networks {
    /// The table that the program carries.
    pub fn bundled() -> Self {
        Self::parse(NETWORKS).expect("a test reads the bundled table")
    }

    /// Reads a table in the form of `networks.toml`.
    ///
    /// # Errors
    ///
    /// [`NetworksError`] as it says.
    pub fn parse(text: &str) -> Result<Self, NetworksError> {
        let table: NetworkTable =
            toml::from_str(text).map_err(|source| NetworksError::Syntax { source })?;
        let mut seen = std::collections::BTreeSet::new();
        for network in &table.network {
            if !seen.insert(&network.id) {
                return Err(NetworksError::Twice {
                    id: network.id.clone(),
                });
            }
            if network.status == Status::Withdrawn && network.withdrawn.is_none() {
                return Err(NetworksError::NoReason {
                    id: network.id.clone(),
                });
            }
        }
        Ok(Self(table.network))
    }

    /// The row with this id.
    pub fn get(&self, id: &str) -> Option<&Network> {
        self.0.iter().find(|network| network.id == id)
    }

    /// All rows as a shell shows them.
    pub fn views(&self) -> Vec<NetworkView> {
        self.0.iter().map(Network::view).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerTable {
    server: Vec<ServerView>,
}

/// The public servers on which an account can be made.
pub fn servers() -> Vec<ServerView> {
    let table: ServerTable = toml::from_str(SERVERS).expect("a test reads the bundled list");
    table.server
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_tables_read() {
        let networks = Networks::bundled();
        let ids: Vec<&str> = networks
            .0
            .iter()
            .map(|network| network.id.as_str())
            .collect();
        assert_eq!(ids, ["xmpp", "sip", "google-talk", "facebook", "yahoo"]);
        assert!(servers().len() >= 4);
        for server in servers() {
            assert!(server.about.ends_with('.') && !server.domain.contains('@'));
        }
    }

    #[test]
    fn closed_networks_explain_themselves() {
        let networks = Networks::bundled();
        for (id, year) in [("google-talk", 2022), ("facebook", 2015), ("yahoo", 2018)] {
            let view = networks.get(id).expect("it is bundled").view();
            let NetworkStatus::Withdrawn {
                year: said,
                reason,
                instead,
            } = view.status
            else {
                panic!("{id} is not withdrawn");
            };
            assert_eq!(said, year);
            assert!(reason.contains(&year.to_string()) && instead.contains("XMPP"));
            assert!(!view.can_register);
        }
    }

    #[test]
    fn a_preset_works_when_pointed_at_any_server() {
        let networks = Networks::parse(
            r#"
            [[network]]
            id = "office"
            name = "Office"
            protocol = "xmpp"
            summary = "The server of the office."
            example = "sara"
            status = "active"
            register = true
            suffix = "office.example"
            server = { host = "127.0.0.1", port = 15222, direct_tls = true }
            sign_up = "https://office.example/join"
            "#,
        )
        .expect("it is well formed");
        let office = networks.get("office").expect("it is there");
        assert_eq!(office.complete(" sara "), "sara@office.example");
        assert_eq!(
            office.complete("sara@elsewhere.example"),
            "sara@elsewhere.example"
        );
        assert_eq!(office.complete("  "), "");
        let server = office.server().expect("it has one");
        assert_eq!(
            (server.host.as_str(), server.port, server.direct_tls),
            ("127.0.0.1", 15222, true)
        );
        assert!(office.can_register());
        assert_eq!(
            office.view().sign_up.as_deref(),
            Some("https://office.example/join")
        );
    }

    #[test]
    fn a_network_without_a_suffix_completes_nothing() {
        let networks = Networks::bundled();
        assert_eq!(
            networks
                .get("xmpp")
                .expect("it is bundled")
                .complete("sara"),
            "sara"
        );
    }

    #[test]
    fn faulty_tables_are_refused() {
        let row = |id: &str, status: &str| {
            format!(
                "[[network]]\nid = \"{id}\"\nname = \"N\"\nprotocol = \"xmpp\"\nsummary = \"S\"\nexample = \"e\"\nstatus = \"{status}\"\n"
            )
        };
        let twice = row("a", "active") + &row("a", "active");
        assert!(matches!(
            Networks::parse(&twice),
            Err(NetworksError::Twice { .. })
        ));
        assert!(matches!(
            Networks::parse(&row("a", "withdrawn")),
            Err(NetworksError::NoReason { .. })
        ));
        assert!(matches!(
            Networks::parse(&(row("a", "active") + "servr = 1\n")),
            Err(NetworksError::Syntax { .. })
        ));
    }
}
