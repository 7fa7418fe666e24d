use super::*;

fn own() -> BareJid {
    BareJid::new("juliet@capulet.lit").unwrap()
}

fn query() -> Query {
    Query::new("f27", Page::After(None))
}

/// XEP-0313 example 3, from our own account.
const RESULT: &str = "<message xmlns='jabber:client' id='aeb213' from='juliet@capulet.lit' \
    to='juliet@capulet.lit/chamber'><result xmlns='urn:xmpp:mam:2' queryid='f27' id='28482-98726-73623'>\
    <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2010-07-10T23:08:25Z'/>\
    <message xmlns='jabber:client' to='juliet@capulet.lit/balcony' from='romeo@montague.lit/orchard' \
    type='chat'><body>Call me but love</body></message></forwarded></result></message>";

fn accept(xml: &str) -> Result<Option<Item>, Refused> {
    query().accept(&xml.parse().unwrap(), &own())
}

#[test]
fn the_example_of_the_xep_is_accepted() {
    let item = accept(RESULT).unwrap().unwrap();
    assert_eq!(item.archive_id, "28482-98726-73623");
    assert_eq!(item.stamp, Some(1_278_803_305_000));
    assert_eq!(
        item.message.attr("from"),
        Some("romeo@montague.lit/orchard")
    );
    assert!(!format!("{item:?}").contains("Call me"));
    let absent = RESULT.replacen("from='juliet@capulet.lit'", "", 1);
    assert!(
        accept(&absent).unwrap().is_some(),
        "our own account may leave `from` out"
    );
    assert_eq!(accept("<message xmlns='jabber:client'/>"), Ok(None));
}

#[test]
fn s_xmpp_03_only_the_archive_asked_and_only_the_open_query() {
    for from in [
        "romeo@montague.lit",
        "capulet.lit",
        "juliet@capulet.lit/chamber",
        "Juliet@capulet.lit",
        "room@chat.capulet.lit",
        "",
    ] {
        let forged = RESULT.replacen("from='juliet@capulet.lit'", &format!("from='{from}'"), 1);
        assert_eq!(accept(&forged), Err(Refused::ForeignSender), "{from}");
    }
    for query in ["queryid='g28'", "queryid=''", ""] {
        let other = RESULT.replace("queryid='f27'", query);
        assert_eq!(accept(&other), Err(Refused::Unsolicited), "{query}");
    }
}

#[test]
fn s_xmpp_02_an_archive_result_holds_one_message_in_one_layer() {
    let carbon = RESULT.replace(
        "<body>Call me but love</body>",
        "<received xmlns='urn:xmpp:carbons:2'/>",
    );
    assert_eq!(accept(&carbon), Err(Refused::Nested));
    let beside = RESULT.replace("</result>", "</result><sent xmlns='urn:xmpp:carbons:2'/>");
    assert_eq!(accept(&beside), Err(Refused::Nested));
    let twice = RESULT.replace(
        "</result>",
        "</result><result xmlns='urn:xmpp:mam:2' queryid='f27'/>",
    );
    assert_eq!(accept(&twice), Err(Refused::Nested));
    let no_id = RESULT.replace("id='28482-98726-73623'", "");
    assert_eq!(accept(&no_id), Err(Refused::Malformed));
    let others = RESULT.replace("to='juliet@capulet.lit/balcony'", "to='eve@evil.example'");
    assert_eq!(accept(&others), Err(Refused::Misaddressed));
}

#[test]
fn a_query_is_built_like_the_examples_of_the_xep() {
    let mut query = Query::new("f27", Page::After(Some("09af3-cc343-b409f".to_owned())));
    query.with = Some(Jid::new("juliet@capulet.lit").unwrap());
    query.start = Some(1_276_128_000_000);
    query.max = 10;
    let expected: Element = "<query xmlns='urn:xmpp:mam:2' queryid='f27'>\
        <x xmlns='jabber:x:data' type='submit'>\
        <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>\
        <field var='with'><value>juliet@capulet.lit</value></field>\
        <field var='start'><value>2010-06-10T00:00:00Z</value></field></x>\
        <set xmlns='http://jabber.org/protocol/rsm'><max>10</max>\
        <after>09af3-cc343-b409f</after></set></query>"
        .parse()
        .unwrap();
    assert_eq!(query.to_element(), expected);
}

fn fin(complete: bool, first: &str, last: &str) -> Fin {
    let set = format!("<set xmlns='http://jabber.org/protocol/rsm'>{first}{last}</set>");
    let xml = format!("<fin xmlns='urn:xmpp:mam:2' complete='{complete}'>{set}</fin>");
    Fin::parse(&xml.parse().unwrap()).unwrap()
}

#[test]
fn a_walk_goes_forward_from_page_to_page_until_it_is_complete() {
    let mut walk = Walk::forward(Some("a".to_owned())).page_size(2);
    let page = |walk: &Walk| walk.query("q").unwrap().page;
    assert_eq!(page(&walk), Page::After(Some("a".to_owned())));
    let first = fin(false, "<first index='0'>b</first>", "<last>c</last>");
    assert_eq!(walk.handle_fin(&first), Step::More);
    assert_eq!(page(&walk), Page::After(Some("c".to_owned())));
    assert_eq!(walk.position(), Some("c"));
    let last = fin(true, "<first>d</first>", "<last>d</last>");
    assert_eq!(walk.handle_fin(&last), Step::Done);
    assert_eq!(walk.query("q"), None);
    assert_eq!(walk.position(), Some("d"));
}

#[test]
fn a_walk_goes_backward_and_ends_at_an_empty_page_or_in_a_circle() {
    let mut walk = Walk::backward(None);
    assert_eq!(walk.query("q").unwrap().page, Page::Before(None));
    let page = fin(false, "<first>x</first>", "<last>z</last>");
    assert_eq!(walk.handle_fin(&page), Step::More);
    assert_eq!(
        walk.query("q").unwrap().page,
        Page::Before(Some("x".to_owned()))
    );
    assert_eq!(walk.clone().handle_fin(&fin(false, "", "")), Step::Done);
    assert_eq!(walk.handle_fin(&page), Step::Done, "a circle ends");
}
