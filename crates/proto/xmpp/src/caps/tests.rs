use super::*;

/// XEP-0115 §5.2.
const SIMPLE: &str = "<query xmlns='http://jabber.org/protocol/disco#info'>\
    <identity category='client' type='pc' name='Exodus 0.9.1'/>\
    <feature var='http://jabber.org/protocol/caps'/>\
    <feature var='http://jabber.org/protocol/disco#info'/>\
    <feature var='http://jabber.org/protocol/disco#items'/>\
    <feature var='http://jabber.org/protocol/muc'/></query>";

/// XEP-0115 §5.3.
const COMPLEX: &str = "<query xmlns='http://jabber.org/protocol/disco#info'>\
    <identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>\
    <identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>\
    <feature var='http://jabber.org/protocol/caps'/>\
    <feature var='http://jabber.org/protocol/disco#info'/>\
    <feature var='http://jabber.org/protocol/disco#items'/>\
    <feature var='http://jabber.org/protocol/muc'/>\
    <x xmlns='jabber:x:data' type='result'>\
    <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>\
    <field var='ip_version' type='text-multi'><value>ipv4</value><value>ipv6</value></field>\
    <field var='os'><value>Mac</value></field>\
    <field var='os_version'><value>10.5.1</value></field>\
    <field var='software'><value>Psi</value></field>\
    <field var='software_version'><value>0.11</value></field></x></query>";

fn info(xml: &str) -> Info {
    Info::parse(&xml.parse().unwrap()).unwrap()
}

fn caps(ver: &str, hash: Hash) -> Caps {
    Caps {
        node: "http://code.google.com/p/exodus".to_owned(),
        ver: ver.to_owned(),
        hash,
    }
}

#[test]
fn the_two_examples_of_the_xep_are_proved() {
    let simple = caps("QgayPKawpkPSDYmwT/WM94uAlu0=", Hash::Sha1);
    assert_eq!(verify(&simple, info(SIMPLE)).unwrap().info(), &info(SIMPLE));
    let complex = caps("q07IKJEyjvHSyhy//CH0CxmKi8w=", Hash::Sha1);
    assert!(verify(&complex, info(COMPLEX)).is_ok());
}

#[test]
fn s_xmpp_15_another_answer_or_algorithm_proves_nothing() {
    let ver = "QgayPKawpkPSDYmwT/WM94uAlu0=";
    let sha1 = caps(ver, Hash::Sha1);
    let sha256 = caps(ver, Hash::Sha256);
    let poisoned = SIMPLE.replace("protocol/muc'", "protocol/evil'");
    assert_eq!(verify(&sha1, info(&poisoned)), Err(Unproven::Mismatch));
    assert_eq!(verify(&sha256, info(SIMPLE)), Err(Unproven::Mismatch));
    assert_eq!(verify(&sha1, Info::default()), Err(Unproven::Mismatch));
    let right = generate(&info(SIMPLE), Hash::Sha256).unwrap();
    assert!(verify(&caps(&right, Hash::Sha256), info(SIMPLE)).is_ok());
}

#[test]
fn s_xmpp_15_ill_formed_answers_prove_nothing() {
    let feature = "<feature var='http://jabber.org/protocol/muc'/>";
    let identity = "<identity category='client' type='pc' name='Exodus 0.9.1'/>";
    let form = "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'>\
                <value>a</value></field></x>";
    let two_types = form.replace("</value>", "</value><value>b</value>");
    let smuggled = "<feature var='a&lt;b'/>";
    for more in [feature, identity, &form.repeat(2), &two_types, smuggled] {
        let xml = SIMPLE.replace("</query>", &format!("{more}</query>"));
        assert_eq!(
            generate(&info(&xml), Hash::Sha1),
            Err(Unproven::IllFormed),
            "{more}"
        );
    }
}

#[test]
fn s_xmpp_15_the_cache_is_bounded_and_keyed_by_algorithm() {
    let mut cache = Cache::default();
    let ver = generate(&info(SIMPLE), Hash::Sha1).unwrap();
    let first = caps(&ver, Hash::Sha1);
    cache.insert(&first, verify(&first, info(SIMPLE)).unwrap());
    assert!(cache.find(&first).is_some());
    assert!(cache.find(&caps(&ver, Hash::Sha256)).is_none());
    for number in 0..MAX_CACHED {
        let info = Info {
            features: vec![number.to_string()],
            ..Info::default()
        };
        let caps = caps(&generate(&info, Hash::Sha1).unwrap(), Hash::Sha1);
        cache.insert(&caps, verify(&caps, info).unwrap());
        assert!(cache.len() <= MAX_CACHED);
    }
    assert!(cache.find(&first).is_none(), "the oldest went first");
}

#[test]
fn our_own_abilities_are_well_formed_and_prove_themselves() {
    let own = Caps::sotto();
    let answer = Info::sotto().to_element(Some(&own.query_node()));
    let wire: Element = String::from(&answer).parse().unwrap();
    assert!(verify(&own, Info::parse(&wire).unwrap()).is_ok());
    let presence = el("presence", ns::CLIENT).child(own.to_element());
    assert_eq!(Caps::of(&presence), Some(own));
}
