use super::*;

fn own() -> BareJid {
    BareJid::new("juliet@example.com").unwrap()
}

/// RFC 6121 §2.1.4 and §2.6.3.
const RESULT: &str = "<query xmlns='jabber:iq:roster' ver='ver11'>\
    <item jid='romeo@example.net' name='Romeo' subscription='both'><group>Friends</group></item>\
    <item jid='mercutio@example.com' name='Mercutio' subscription='from' ask='subscribe'/>\
    <item jid='benvolio@example.net' name=' Ben&#10;volio ' subscription='nonsense'>\
    <group>b</group><group>a</group><group>b</group><group/></item>\
    <item jid='@'/><item/><item jid='gone@example.net' subscription='remove'/>\
    <item jid='with@example.net/resource'/><other/></query>";

#[test]
fn a_roster_is_read_and_what_is_not_well_formed_left_out() {
    let payload: Element = RESULT.parse().unwrap();
    let Roster::Items { version, items } = parse_result(Some(&payload)).unwrap() else {
        panic!("items expected");
    };
    assert_eq!(version.as_deref(), Some("ver11"));
    let names: Vec<_> = items.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, ["Romeo", "Mercutio", "Ben volio"]);
    assert_eq!(items[0].subscription, Subscription::Both);
    assert_eq!(items[0].groups, ["Friends"]);
    assert!(
        items[1].ask && items[1].subscription.sees_ours() && !items[1].subscription.sees_theirs()
    );
    assert_eq!(items[2].subscription, Subscription::None);
    assert_eq!(items[2].groups, ["a", "b"]);
}

#[test]
fn an_empty_answer_means_unchanged() {
    assert_eq!(parse_result(None), Ok(Roster::Unchanged));
    let other: Element = "<query xmlns='urn:x'/>".parse().unwrap();
    assert_eq!(parse_result(Some(&other)), Err(Refused::Malformed));
}

fn push(from: &str, items: &str) -> Result<Option<Push>, Refused> {
    let iq: Element = format!(
        "<iq xmlns='jabber:client' id='p1' type='set'{from}>\
         <query xmlns='jabber:iq:roster' ver='ver12'>{items}</query></iq>"
    )
    .parse()
    .unwrap();
    parse_push(&iq, &own())
}

#[test]
fn s_xmpp_04_only_the_own_account_pushes() {
    let item = "<item jid='nurse@example.com' subscription='none'/>";
    assert!(push("", item).unwrap().is_some());
    assert!(push(" from='juliet@example.com'", item).unwrap().is_some());
    for from in [
        "eve@evil.example",
        "eve@evil.example/x",
        "example.com",
        "juliet@example.com/balcony",
        "JULIET@example.com",
        "juliet@example.com.evil.example",
        "",
    ] {
        assert_eq!(
            push(&format!(" from='{from}'"), item),
            Err(Refused::ForeignSender),
            "{from}"
        );
    }
}

#[test]
fn a_push_holds_exactly_one_item() {
    let removed = push("", "<item jid='nurse@example.com' subscription='remove'/>");
    let jid = BareJid::new("nurse@example.com").unwrap();
    assert_eq!(removed.unwrap().unwrap().change, Change::Removed(jid));
    for items in [
        "",
        "<item jid='a@b'/><item jid='c@d'/>",
        "<item/>",
        "<item jid='a@b/c'/>",
    ] {
        assert_eq!(push("", items), Err(Refused::Malformed), "{items}");
    }
}

#[test]
fn requests_are_built_like_those_of_the_rfc() {
    let jid = BareJid::new("nurse@example.com").unwrap();
    let expected: Element =
        "<query xmlns='jabber:iq:roster'><item jid='nurse@example.com' name='Nurse'>\
        <group>Servants</group></item></query>"
            .parse()
            .unwrap();
    assert_eq!(set(&jid, "Nurse", &["Servants".to_owned()]), expected);
    let expected: Element = "<query xmlns='jabber:iq:roster'>\
        <item jid='nurse@example.com' subscription='remove'/></query>"
        .parse()
        .unwrap();
    assert_eq!(remove(&jid), expected);
    assert_eq!(get(Some("")).attr("ver"), Some(""));
    assert_eq!(get(None).attr("ver"), None);
}
