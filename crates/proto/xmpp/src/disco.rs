//! Service discovery (XEP-0030), and what Sotto itself supports.

use jid::Jid;
use minidom::Element;

use crate::data_form::DataForm;
use crate::dom::{self, Build, el};
use crate::ns;
use crate::text;

/// Most identities, features, forms or items that are kept.
pub const MAX_ENTRIES: usize = 1024;
const MAX_VALUE: usize = 1024;

/// What Sotto supports: only what it really does.
pub const FEATURES: [&str; 16] = [
    ns::AVATAR_METADATA,
    "urn:xmpp:avatar:metadata+notify",
    ns::MARKERS,
    ns::CORRECT,
    ns::DELAY,
    ns::EME,
    ns::HINTS,
    ns::PING,
    ns::RECEIPTS,
    ns::STANZA_ID,
    ns::CAPS,
    ns::CHAT_STATES,
    ns::DISCO_INFO,
    ns::NICK,
    ns::VERSION,
    ns::DATA_FORM,
];

/// What an entity is (XEP-0030 §3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Identity {
    /// For example `client`, `server`, `pubsub`.
    pub category: String,
    /// For example `pc`, `im`, `pep`.
    pub kind: String,
    /// `xml:lang`; may be empty.
    pub lang: String,
    /// Its name; untrusted, may be empty.
    pub name: String,
}

/// What an entity is and can do. Text in it is untrusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// What it is.
    pub identities: Vec<Identity>,
    /// What it can do.
    pub features: Vec<String>,
    /// More about it (XEP-0128).
    pub forms: Vec<DataForm>,
}

/// Something that belongs to an entity (XEP-0030 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its address.
    pub jid: Jid,
    /// Its node there; may be empty.
    pub node: String,
    /// Its name; untrusted, may be empty.
    pub name: String,
}

impl Info {
    /// What Sotto answers.
    pub fn sotto() -> Self {
        Self {
            identities: vec![Identity {
                category: "client".to_owned(),
                kind: "pc".to_owned(),
                lang: String::new(),
                name: "Sotto".to_owned(),
            }],
            features: FEATURES.map(str::to_owned).to_vec(),
            forms: Vec::new(),
        }
    }

    /// Reads the payload of an answer; `None` when it is none.
    pub fn parse(query: &Element) -> Option<Self> {
        if !query.is("query", ns::DISCO_INFO) {
            return None;
        }
        let children = |name| {
            query
                .children()
                .filter(move |child| child.is(name, ns::DISCO_INFO))
                .take(MAX_ENTRIES)
        };
        Some(Self {
            identities: children("identity")
                .filter_map(|identity| {
                    Some(Identity {
                        category: dom::attr(identity, "category", MAX_VALUE)?,
                        kind: dom::attr(identity, "type", MAX_VALUE)?,
                        lang: dom::lang(identity).unwrap_or_default().to_owned(),
                        name: dom::attr(identity, "name", MAX_VALUE).unwrap_or_default(),
                    })
                })
                .collect(),
            features: children("feature")
                .filter_map(|feature| dom::attr(feature, "var", MAX_VALUE))
                .collect(),
            forms: query
                .children()
                .filter(|child| child.attr("type") == Some("result"))
                .filter_map(DataForm::parse)
                .take(16)
                .collect(),
        })
    }

    /// Whether it has a feature.
    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|own| own == feature)
    }

    /// Whether it is of a category and type.
    pub fn is(&self, category: &str, kind: &str) -> bool {
        self.identities
            .iter()
            .any(|identity| identity.category == category && identity.kind == kind)
    }

    /// The payload of an answer; forms are not sent.
    pub fn to_element(&self, node: Option<&str>) -> Element {
        let query = el("query", ns::DISCO_INFO).with_opt("node", node);
        let query = self.identities.iter().fold(query, |query, identity| {
            let name = (!identity.name.is_empty()).then_some(&identity.name);
            query.child(
                el("identity", ns::DISCO_INFO)
                    .with("category", &identity.category)
                    .with("type", &identity.kind)
                    .with_opt("name", name),
            )
        });
        self.features.iter().fold(query, |query, feature| {
            query.child(el("feature", ns::DISCO_INFO).with("var", feature))
        })
    }
}

/// The payload that asks what an entity is and can do: for an iq `get`.
pub fn info_request(node: Option<&str>) -> Element {
    el("query", ns::DISCO_INFO).with_opt("node", node)
}

/// The payload that asks what belongs to an entity: for an iq `get`.
pub fn items_request(node: Option<&str>) -> Element {
    el("query", ns::DISCO_ITEMS).with_opt("node", node)
}

/// Reads the payload of an answer to [`items_request`]; `None` when it is none.
pub fn parse_items(query: &Element) -> Option<Vec<Item>> {
    if !query.is("query", ns::DISCO_ITEMS) {
        return None;
    }
    let items = query
        .children()
        .filter(|child| child.is("item", ns::DISCO_ITEMS))
        .take(MAX_ENTRIES);
    Some(
        items
            .filter_map(|item| {
                Some(Item {
                    jid: Jid::new(item.attr("jid")?).ok()?,
                    node: dom::attr(item, "node", MAX_VALUE).unwrap_or_default(),
                    name: text::one_line(item.attr("name").unwrap_or_default(), MAX_VALUE),
                })
            })
            .collect(),
    )
}

/// The node that somebody asks about, when `payload` is a request for information.
pub fn requested_node(payload: &Element) -> Option<Option<&str>> {
    payload
        .is("query", ns::DISCO_INFO)
        .then(|| payload.attr("node").filter(|node| !node.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XEP-0030 examples 3 and 17.
    #[test]
    fn information_and_items_are_read() {
        let info: Element = "<query xmlns='http://jabber.org/protocol/disco#info'>\
            <identity category='conference' type='text' name='Play-Specific Chatrooms'/>\
            <identity type='nameless'/><feature var='jabber:iq:register'/><feature/></query>"
            .parse()
            .unwrap();
        let info = Info::parse(&info).unwrap();
        assert!(info.is("conference", "text") && info.has("jabber:iq:register"));
        assert!(!info.has("vcard-temp"));
        assert_eq!((info.identities.len(), info.features.len()), (1, 1));
        let items: Element = "<query xmlns='http://jabber.org/protocol/disco#items'>\
            <item jid='people.shakespeare.lit' name='Directory of Characters'/>\
            <item jid='mim.shakespeare.lit' node='n'/><item jid='@'/><item/></query>"
            .parse()
            .unwrap();
        let items = parse_items(&items).unwrap();
        assert_eq!(items.len(), 2);
        assert_eq!(
            (items[1].node.as_str(), items[0].name.as_str()),
            ("n", "Directory of Characters")
        );
    }

    #[test]
    fn a_question_names_its_node_or_none() {
        assert_eq!(requested_node(&info_request(None)), Some(None));
        assert_eq!(
            requested_node(&info_request(Some("n#v"))),
            Some(Some("n#v"))
        );
        assert_eq!(requested_node(&items_request(None)), None);
    }
}
