use minidom::Element;

use super::ns;
use crate::sasl::mechanism::Offer;

/// Most mechanisms or binding types that are looked at.
const MAX_LISTED: usize = 64;
/// Longest name of one, in bytes.
const MAX_NAME: usize = 64;

/// What a server offers on a stream (RFC 6120 §4.3.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamFeatures {
    /// STARTTLS (RFC 6120 §5).
    pub starttls: bool,
    /// SASL mechanisms (RFC 6120 §6), as listed.
    pub mechanisms: Vec<String>,
    /// Types of channel binding, where listed (XEP-0440).
    pub channel_bindings: Option<Vec<String>>,
    /// SASL 2 (XEP-0388).
    pub sasl2: Option<Sasl2>,
    /// Resource binding (RFC 6120 §7).
    pub bind: bool,
    /// The server insists on the session request of RFC 3921 §3.
    pub session: bool,
    /// Stream management (XEP-0198).
    pub stream_management: bool,
    /// Client state indication (XEP-0352).
    pub client_state: bool,
    /// Roster versions (RFC 6121 §2.6).
    pub roster_versions: bool,
    /// Subscriptions can be approved before they are asked for (RFC 6121 §3.4).
    pub pre_approval: bool,
    /// In-band registration (XEP-0077).
    pub registration: bool,
}

/// What a server offers of SASL 2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sasl2 {
    /// Mechanisms, as listed.
    pub mechanisms: Vec<String>,
    /// A stream can be resumed in the same step (XEP-0198 §9).
    pub resume: bool,
    /// A resource can be bound in the same step (XEP-0386).
    pub bind: bool,
    /// Stream management can be switched on in the same step.
    pub enable: bool,
    /// Carbons can be switched on in the same step.
    pub carbons: bool,
}

impl StreamFeatures {
    pub(super) fn parse(element: &Element) -> Self {
        let has = |name: &str, namespace: &str| element.has_child(name, namespace);
        Self {
            starttls: has("starttls", ns::TLS),
            mechanisms: element
                .get_child("mechanisms", ns::SASL)
                .map(|list| names(list, ns::SASL))
                .unwrap_or_default(),
            channel_bindings: element
                .get_child("sasl-channel-binding", ns::SASL_CB)
                .map(|list| {
                    list.children()
                        .filter(|child| child.is("channel-binding", ns::SASL_CB))
                        .filter_map(|child| child.attr("type"))
                        .filter(|name| name.len() <= MAX_NAME)
                        .take(MAX_LISTED)
                        .map(str::to_owned)
                        .collect()
                }),
            sasl2: element
                .get_child("authentication", ns::SASL2)
                .map(Sasl2::parse),
            bind: has("bind", ns::BIND),
            session: element
                .get_child("session", ns::SESSION)
                .is_some_and(|session| !session.has_child("optional", ns::SESSION)),
            stream_management: has("sm", ns::SM),
            client_state: has("csi", crate::ns::CSI),
            roster_versions: has("ver", ns::ROSTER_VERSIONS),
            pre_approval: has("sub", ns::PRE_APPROVAL),
            registration: has("register", ns::REGISTER_FEATURE),
        }
    }

    pub(super) fn sasl_offer(&self) -> Offer {
        Offer {
            mechanisms: self.mechanisms.clone(),
            bindings: self.channel_bindings.clone(),
        }
    }

    /// The offer of SASL 2, unless it contradicts itself (XEP-0440 §3 rule 4).
    pub(super) fn sasl2_offer(&self) -> Option<(Offer, &Sasl2)> {
        let sasl2 = self.sasl2.as_ref()?;
        let offer = Offer {
            mechanisms: sasl2.mechanisms.clone(),
            bindings: self.channel_bindings.clone(),
        };
        (!offer.mechanisms.is_empty() && !offer.binds_without_types()).then_some((offer, sasl2))
    }
}

impl Sasl2 {
    fn parse(element: &Element) -> Self {
        let inline = element.get_child("inline", ns::SASL2);
        let bind = inline.and_then(|inline| inline.get_child("bind", ns::BIND2));
        // XEP-0386 lists these in an element of their own, XEP-0198 shows them without it.
        let inline_feature = |var: &str| {
            bind.is_some_and(|bind| {
                bind.children()
                    .chain(
                        bind.get_child("inline", ns::BIND2)
                            .into_iter()
                            .flat_map(Element::children),
                    )
                    .any(|child| child.is("feature", ns::BIND2) && child.attr("var") == Some(var))
            })
        };
        Self {
            mechanisms: names(element, ns::SASL2),
            resume: inline.is_some_and(|inline| inline.has_child("sm", ns::SM)),
            bind: bind.is_some(),
            enable: inline_feature(ns::SM),
            carbons: inline_feature(crate::ns::CARBONS),
        }
    }
}

fn names(list: &Element, namespace: &str) -> Vec<String> {
    list.children()
        .filter(|child| child.is("mechanism", namespace))
        .map(|child| child.text().trim().to_owned())
        .filter(|name| !name.is_empty() && name.len() <= MAX_NAME)
        .take(MAX_LISTED)
        .collect()
}
