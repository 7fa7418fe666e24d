use jid::Jid;
use minidom::Element;

use crate::chat_states::ChatState;
use crate::dom::{Build, el};
use crate::hints::Hints;
use crate::ns;
use crate::{carbons, correction, eme, markers, receipts, stanza_id};

/// A message of ours with words, ready to be built.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// To whom.
    pub to: &'a Jid,
    /// At least 64 random bits ([`stanza_id::random_id`]); also sent as origin id, by which an
    /// archive can be asked whether it came through.
    pub id: &'a str,
    /// The words. Characters that XML forbids are left out.
    pub body: &'a str,
    /// Ask for a receipt (XEP-0184).
    pub receipt_request: bool,
    /// Allow displayed markers (XEP-0333).
    pub markable: bool,
    /// Say `active` (XEP-0085 §5.1); not to strangers.
    pub chat_state: bool,
    /// The id of an own message that this one corrects (XEP-0308).
    pub replaces: Option<&'a str>,
    /// Hints for servers (XEP-0334).
    pub hints: Hints,
    /// The words are OTR's data (XEP-0364): marked as encrypted (XEP-0380), and never copied to other
    /// devices (XEP-0280 §9).
    pub otr: bool,
}

/// What an OTR text is for; decides how long servers may hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OtrText {
    /// Holds a message of the person's: worth a receipt, and waits for those who are away.
    Message,
    /// A query in plain text, which other programs show as it is.
    Query,
    /// Exchanges keys, proves a secret, keeps alive, or reports a fault: of no use later.
    Fleeting,
}

impl<'a> Outgoing<'a> {
    /// A message with a receipt request and nothing else.
    pub fn new(to: &'a Jid, id: &'a str, body: &'a str) -> Self {
        Self {
            to,
            id,
            body,
            receipt_request: true,
            markable: true,
            chat_state: false,
            replaces: None,
            hints: Hints::default(),
            otr: false,
        }
    }

    /// An OTR text. Of what could tell about the message inside, only a receipt is asked for, and that
    /// only where there is a message inside.
    pub fn otr(to: &'a Jid, id: &'a str, text: &'a str, purpose: OtrText) -> Self {
        Self {
            to,
            id,
            body: text,
            receipt_request: purpose == OtrText::Message,
            markable: false,
            chat_state: false,
            replaces: None,
            hints: match purpose {
                OtrText::Message | OtrText::Query => Hints::PRIVATE,
                OtrText::Fleeting => Hints::PRIVATE_FLEETING,
            },
            otr: true,
        }
    }

    /// The stanza.
    pub fn to_element(&self) -> Element {
        let mut message = el("message", ns::CLIENT)
            .with("to", self.to.as_str())
            .with("id", self.id)
            .with("type", "chat")
            .child(el("body", ns::CLIENT).text_of(self.body))
            .child(stanza_id::origin_element(self.id))
            .child_opt(self.receipt_request.then(receipts::request_element))
            .child_opt(self.markable.then(markers::markable_element))
            .child_opt(self.chat_state.then(|| ChatState::Active.to_element()))
            .child_opt(self.replaces.map(correction::replace_element))
            .child_opt(self.otr.then(eme::otr_element))
            .child_opt(self.otr.then(carbons::private_element));
        self.hints.append_to(&mut message);
        message
    }
}

/// A typing notice alone (XEP-0085), kept by nobody.
pub fn chat_state(to: &Jid, id: &str, state: ChatState) -> Element {
    let mut message = el("message", ns::CLIENT)
        .with("to", to.as_str())
        .with("id", id)
        .with("type", "chat")
        .child(state.to_element());
    Hints::NO_STORE.append_to(&mut message);
    message
}
