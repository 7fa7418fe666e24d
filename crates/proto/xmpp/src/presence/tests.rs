use super::*;
use crate::caps::Hash;

fn read(inner: &str, attributes: &str) -> Presence {
    let xml = format!(
        "<presence xmlns='jabber:client' from='romeo@example.net/orchard'{attributes}>{inner}</presence>"
    );
    parse(&xml.parse().unwrap()).unwrap()
}

#[test]
fn an_available_resource_is_read_with_all_that_it_says() {
    let presence = read(
        "<show>dnd</show><status>Wooing\nJuliet</status><priority>-1</priority>\
         <c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://code.google.com/p/exodus' \
         ver='QgayPKawpkPSDYmwT/WM94uAlu0='/>\
         <x xmlns='vcard-temp:x:update'><photo>01B87FCD030B72895FF8E88DB57EC525450F000D</photo></x>\
         <nick xmlns='http://jabber.org/protocol/nick'>Ishmael</nick>",
        "",
    );
    let Meaning::Available(available) = presence.meaning else {
        panic!("available expected");
    };
    assert_eq!(available.show, Show::Dnd);
    assert_eq!(available.priority, -1);
    assert_eq!(available.caps.unwrap().hash, Hash::Sha1);
    assert_eq!(
        available.avatar,
        AvatarHint::Hash("01b87fcd030b72895ff8e88db57ec525450f000d".to_owned())
    );
    assert_eq!(presence.status.as_str(), "Wooing Juliet");
    assert_eq!(presence.nick.as_deref(), Some("Ishmael"));
}

#[test]
fn nonsense_falls_back_to_what_the_rfc_says() {
    for inner in [
        "<show>sleeping</show><priority>999</priority>",
        "<show xmlns='urn:x'>dnd</show><priority/>",
        "<x xmlns='vcard-temp:x:update'><photo>not a hash</photo></x>",
        "<c xmlns='http://jabber.org/protocol/caps' node='x' ver='y'/>",
        "<c xmlns='http://jabber.org/protocol/caps' node='x' ver='y' hash='md5'/>",
        "<nick xmlns='http://jabber.org/protocol/nick'/>",
    ] {
        let presence = read(inner, "");
        assert_eq!(
            presence.meaning,
            Meaning::Available(Available::default()),
            "{inner}"
        );
        assert_eq!(presence.nick, None);
    }
    assert_eq!(read("", " type='probe'").meaning, Meaning::Ignored);
    assert_eq!(read("", " type='x'").meaning, Meaning::Ignored);
    assert_eq!(
        read("", " type='unavailable'").meaning,
        Meaning::Unavailable
    );
}

#[test]
fn no_picture_and_no_word_about_pictures_are_told_apart() {
    let hint = |inner: &str| match read(inner, "").meaning {
        Meaning::Available(available) => available.avatar,
        _ => panic!("available expected"),
    };
    assert_eq!(
        hint("<x xmlns='vcard-temp:x:update'><photo/></x>"),
        AvatarHint::None
    );
    assert_eq!(
        hint("<x xmlns='vcard-temp:x:update'/>"),
        AvatarHint::Unknown
    );
    assert_eq!(hint(""), AvatarHint::Unknown);
}

#[test]
fn subscription_stanzas_are_read_and_built() {
    let to = BareJid::new("romeo@example.net").unwrap();
    for stanza in [
        SubscriptionStanza::Subscribe,
        SubscriptionStanza::Subscribed,
        SubscriptionStanza::Unsubscribe,
        SubscriptionStanza::Unsubscribed,
    ] {
        let built = subscription(stanza, &to, "s1");
        assert_eq!(
            parse(&built).unwrap().meaning,
            Meaning::Subscription(stanza)
        );
        assert_eq!(built.attr("to"), Some("romeo@example.net"));
    }
    let request = read("<status>It is I</status>", " type='subscribe'");
    assert_eq!(request.status.as_str(), "It is I");
}

#[test]
fn our_own_presence_reads_back_as_it_was_meant() {
    let caps = Caps::sotto();
    let avatar = AvatarHint::None;
    let outgoing = Outgoing {
        show: Show::Xa,
        status: "back < soon",
        priority: 5,
        caps: Some(&caps),
        avatar: Some(&avatar),
    };
    let wire: Element = String::from(&outgoing.to_element(None)).parse().unwrap();
    let presence = parse(&wire).unwrap();
    assert_eq!(presence.status.as_str(), "back < soon");
    let expected = Available {
        show: Show::Xa,
        priority: 5,
        caps: Some(caps),
        avatar: AvatarHint::None,
    };
    assert_eq!(presence.meaning, Meaning::Available(expected));
    let plain = Outgoing::default().to_element(None);
    assert_eq!(plain.children().count(), 0);
}

#[test]
fn s_xmpp_13_a_presence_error_has_no_words() {
    let presence = read(
        "<status>mine</status><error type='cancel'/>",
        " type='error'",
    );
    assert!(matches!(presence.meaning, Meaning::Error(_)));
    assert_eq!(presence.status.as_str(), "");
}

#[test]
fn a_sender_that_cannot_be_read_is_refused() {
    let stanza: Element = "<presence xmlns='jabber:client' from='a@b@c'/>"
        .parse()
        .unwrap();
    assert_eq!(parse(&stanza), Err(Refused::Malformed));
}
