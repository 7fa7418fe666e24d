use super::*;

fn own() -> BareJid {
    BareJid::new("romeo@montague.example").unwrap()
}

fn unwrap_text(xml: &str) -> Result<Option<Carbon>, Refused> {
    unwrap(&xml.parse().unwrap(), &own())
}

/// XEP-0280 example 12 (received) and example 14 (sent).
const RECEIVED: &str = "<message xmlns='jabber:client' from='romeo@montague.example' \
    to='romeo@montague.example/home' type='chat'>\
    <received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
    <message xmlns='jabber:client' from='juliet@capulet.example/balcony' \
    to='romeo@montague.example/garden' type='chat'><body>What man art thou?</body>\
    <thread>0e3141cd80894871a68e6fe6b1ec56fa</thread></message></forwarded></received></message>";
const SENT: &str = "<message xmlns='jabber:client' from='romeo@montague.example' \
    to='romeo@montague.example/garden' type='chat'>\
    <sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
    <message xmlns='jabber:client' to='juliet@capulet.example/balcony' \
    from='romeo@montague.example/home' type='chat'><body>Neither, fair saint</body></message>\
    </forwarded></sent></message>";

#[test]
fn the_examples_of_the_xep_are_taken_out_of_their_wrapper() {
    let received = unwrap_text(RECEIVED).unwrap().unwrap();
    assert_eq!(received.direction, Direction::Received);
    assert!(received.message.has_child("body", ns::CLIENT));
    let sent = unwrap_text(SENT).unwrap().unwrap();
    assert_eq!(sent.direction, Direction::Sent);
    assert_eq!(
        sent.message.attr("to"),
        Some("juliet@capulet.example/balcony")
    );
}

#[test]
fn what_is_no_carbon_is_left_alone() {
    assert_eq!(
        unwrap_text("<message xmlns='jabber:client'><body>x</body></message>"),
        Ok(None)
    );
    assert_eq!(unwrap_text("<iq xmlns='jabber:client'/>"), Ok(None));
}

#[test]
fn s_xmpp_01_carbon_with_foreign_from_is_refused() {
    for from in [
        "juliet@capulet.example",
        "romeo@montague.example/home",
        "montague.example",
        "ROMEO@montague.example",
        "rоmeo@montague.example",
        "romeo@montague.example.evil.example",
        "",
    ] {
        for template in [RECEIVED, SENT] {
            let forged = template.replacen(
                "from='romeo@montague.example'",
                &format!("from='{from}'"),
                1,
            );
            assert_eq!(unwrap_text(&forged), Err(Refused::ForeignSender), "{from}");
        }
    }
    let missing = RECEIVED.replacen("from='romeo@montague.example'", "", 1);
    assert_eq!(unwrap_text(&missing), Err(Refused::ForeignSender));
}

#[test]
fn s_xmpp_02_one_layer_and_one_message() {
    let wrapped_again = RECEIVED.replace(
        "<body>What man art thou?</body>",
        "<received xmlns='urn:xmpp:carbons:2'/>",
    );
    assert_eq!(unwrap_text(&wrapped_again), Err(Refused::Nested));
    let archive_inside = RECEIVED.replace(
        "<body>What man art thou?</body>",
        "<result xmlns='urn:xmpp:mam:2'/>",
    );
    assert_eq!(unwrap_text(&archive_inside), Err(Refused::Nested));
    let two_wrappers = RECEIVED.replace(
        "</received>",
        "</received><sent xmlns='urn:xmpp:carbons:2'/>",
    );
    assert_eq!(unwrap_text(&two_wrappers), Err(Refused::Nested));
    let two_forwarded = RECEIVED.replace(
        "</forwarded>",
        "</forwarded><forwarded xmlns='urn:xmpp:forward:0'/>",
    );
    assert_eq!(unwrap_text(&two_forwarded), Err(Refused::Malformed));
    let two_messages = RECEIVED.replace("</forwarded>", "<message/></forwarded>");
    assert_eq!(unwrap_text(&two_messages), Err(Refused::Malformed));
    let presence = RECEIVED
        .replacen(
            "<message xmlns='jabber:client' from='juliet",
            "<presence xmlns='jabber:client' from='juliet",
            1,
        )
        .replacen("</message></forwarded>", "</presence></forwarded>", 1);
    assert_eq!(unwrap_text(&presence), Err(Refused::Malformed));
}

#[test]
fn a_copy_of_somebody_elses_message_is_refused() {
    let sent = SENT.replace(
        "from='romeo@montague.example/home'",
        "from='eve@evil.example/x'",
    );
    assert_eq!(unwrap_text(&sent), Err(Refused::Misaddressed));
    let sent = SENT.replace("from='romeo@montague.example/home'", "");
    assert_eq!(unwrap_text(&sent), Err(Refused::Misaddressed));
    let received = RECEIVED.replace(
        "to='romeo@montague.example/garden'",
        "to='eve@evil.example'",
    );
    assert_eq!(unwrap_text(&received), Err(Refused::Misaddressed));
    let unreadable = RECEIVED.replace("to='romeo@montague.example/garden'", "to='@@'");
    assert_eq!(unwrap_text(&unreadable), Err(Refused::Malformed));
}

#[test]
fn a_copy_does_not_show_its_words_in_debug() {
    let carbon = unwrap_text(RECEIVED).unwrap().unwrap();
    assert!(!format!("{carbon:?}").contains("What man"));
}
