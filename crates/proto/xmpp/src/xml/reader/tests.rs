use proptest::prelude::*;

use super::*;
use crate::stream::Condition;

const OPEN: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";
const LIMITS: Limits = Limits {
    stanza: 1024 * 1024,
    spare_stream: false,
};

/// Everything that comes of these bytes after the first tag, fed `size` at a time.
fn read_in(size: usize, bytes: &[u8]) -> (Vec<Item>, Option<XmlError>) {
    let mut reader = Reader::new(LIMITS);
    let mut items = Vec::new();
    let all = [OPEN.as_bytes(), bytes].concat();
    for chunk in all.chunks(size) {
        reader.feed(chunk);
        loop {
            match reader.next() {
                Ok(Some(item)) => items.push(item),
                Ok(None) => break,
                Err(error) => {
                    items.remove(0);
                    return (items, Some(error));
                }
            }
        }
    }
    items.remove(0);
    (items, None)
}

fn read(text: &str) -> (Vec<Item>, Option<XmlError>) {
    read_in(usize::MAX, text.as_bytes())
}

fn condition(bytes: &[u8]) -> Option<Condition> {
    let at_once = read_in(usize::MAX, bytes).1;
    let one_by_one = read_in(1, bytes).1;
    assert_eq!(at_once, one_by_one);
    at_once.map(|error| error.condition())
}

#[test]
fn stanzas_come_out_as_trees() {
    let text = "<message to='a@b' xml:lang='de'><body>x &amp; <![CDATA[<y>]]>&#x1F600;</body>\
                <z:x xmlns:z='u:z' z:a='1'><i/></z:x></message> \n<presence/></stream:stream>";
    let (items, error) = read(text);
    assert_eq!(error, None);
    let expected: Element = "<message xmlns='jabber:client' to='a@b' xml:lang='de'>\
                             <body>x &amp; &lt;y&gt;\u{1F600}</body>\
                             <x xmlns='u:z' xmlns:z='u:z' z:a='1'><i xmlns='jabber:client'/></x></message>"
        .parse()
        .unwrap();
    assert_eq!(
        items,
        [
            Item::Child(expected),
            Item::Child(Element::bare("presence", "jabber:client")),
            Item::Close
        ]
    );
}

#[test]
fn pieces_of_any_size_make_the_same_stanzas() {
    let text = "<message><body>\u{e4}\u{20ac}\u{1F600}</body></message><iq type='get'/>";
    let at_once = read_in(usize::MAX, text.as_bytes());
    for size in [1, 2, 3, 5, 7, 64] {
        assert_eq!(read_in(size, text.as_bytes()), at_once);
    }
}

#[test]
fn s_xml_01_document_types_entities_comments_and_instructions_close_the_stream() {
    let bomb = "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>";
    for bad in [
        bomb,
        "<!DOCTYPE x SYSTEM 'file:///etc/passwd'>",
        "<message><!DOCTYPE x></message>",
        "<message>&lol;</message>",
        "<message to='&xxe;'/>",
        "<!-- x -->",
        "<message><!-- x --></message>",
        "<?php x?>",
        "<message><?x y?></message>",
        "<?xml-stylesheet href='x'?>",
        "<message><![INCLUDE[x]]></message>",
        "<!ELEMENT x>",
        "<message>%pe;&quotx;</message>",
    ] {
        assert_eq!(
            condition(bad.as_bytes()),
            Some(Condition::RestrictedXml),
            "{bad}"
        );
    }
    let mut reader = Reader::new(LIMITS);
    reader.feed(bomb.as_bytes());
    assert!(reader.next().is_err());
}

#[test]
fn s_xml_01_only_xml_1_0_in_utf_8_is_read() {
    for bad in [
        "<?xml version='1.1'?><a/>",
        "<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
        "<?xml version='1.0' encoding='UTF-16'?><a/>",
        "<?xml version='1.0' standalone='no'?><a/>",
    ] {
        let mut reader = Reader::new(LIMITS);
        reader.feed(bad.as_bytes());
        assert!(reader.next().is_err(), "{bad}");
    }
}

#[test]
fn s_xml_02_a_stanza_beyond_the_limit_closes_the_stream_at_once() {
    let limits = Limits {
        stanza: 1000,
        ..LIMITS
    };
    let mut reader = Reader::new(limits);
    reader.feed(OPEN.as_bytes());
    reader.next().unwrap();
    for _ in 0..50 {
        // Each stanza has the whole limit; so has the white space between them.
        let fits = format!("<message>{}</message>{}", "x".repeat(900), " ".repeat(40));
        reader.feed(fits.as_bytes());
        assert!(matches!(reader.next(), Ok(Some(Item::Child(_)))));
        assert_eq!(reader.next(), Ok(None));
    }
    reader.feed(b"<message>");
    let mut fed = 9;
    let error = loop {
        reader.feed(b"xxxxxxxxxx");
        fed += 10;
        match reader.next() {
            Ok(None) => assert!(fed < 1100),
            Ok(Some(_)) => panic!("a stanza without end"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.condition(), Condition::PolicyViolation);
    assert_eq!(reader.next(), Ok(None), "nothing follows");
}

#[test]
fn s_xml_02_ten_megabytes_in_one_stanza_are_not_kept() {
    let mut reader = Reader::new(LIMITS);
    reader.feed(OPEN.as_bytes());
    reader.next().unwrap();
    reader.feed(b"<message><body>");
    let chunk = [b'x'; 16 * 1024];
    let mut most = 0;
    for _ in 0..640 {
        reader.feed(&chunk);
        let _ = reader.next();
        let held: usize = reader
            .stack
            .iter()
            .map(|element| element.text().len())
            .sum();
        most = most.max(held + reader.utf8.len());
    }
    assert!(reader.failed);
    assert!(most <= LIMITS.stanza + 2 * chunk.len(), "{most}");
}

#[test]
fn s_xml_02_depth_attributes_declarations_and_names_are_bounded() {
    let nested = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
    let attributes = |count: usize| {
        let all: String = (0..count).map(|n| format!(" a{n}=''")).collect();
        format!("<a{all}/>")
    };
    let declarations = |count: usize| {
        let all: String = (0..count).map(|n| format!(" xmlns:a{n}='u'")).collect();
        format!("<a{all}/>")
    };
    let name = |length: usize| format!("<{}/>", "a".repeat(length));
    let attribute_name = |length: usize| format!("<a {}=''/>", "a".repeat(length));
    for good in [
        nested(MAX_DEPTH),
        attributes(MAX_ATTRIBUTES),
        // The stream itself has two.
        declarations(MAX_DECLARATIONS - 2),
        name(MAX_NAME),
        attribute_name(MAX_NAME),
    ] {
        assert_eq!(condition(good.as_bytes()), None);
    }
    for bad in [
        nested(MAX_DEPTH + 1),
        nested(100_000),
        attributes(MAX_ATTRIBUTES + 1),
        declarations(MAX_DECLARATIONS - 1),
        name(MAX_NAME + 1),
        attribute_name(MAX_NAME + 1),
        format!("<a>{}</a>", "<b/>".repeat(MAX_ELEMENTS)),
    ] {
        assert_eq!(condition(bad.as_bytes()), Some(Condition::PolicyViolation));
    }
    // Declarations count again once their element is closed.
    let often = declarations(MAX_DECLARATIONS - 2).repeat(20);
    assert_eq!(condition(often.as_bytes()), None);
    // Names and values of any length are refused by one rule or the other.
    assert!(condition(name(100_000).as_bytes()).is_some());
    let value = format!("<a b='{}'/>", "x".repeat(300_000));
    assert!(condition(value.as_bytes()).is_some());
}

#[test]
fn s_xml_02_a_strangers_stanza_beyond_the_limits_does_not_end_the_stream() {
    let many = |count: usize, one: fn(usize) -> String| (0..count).map(one).collect::<String>();
    for bad in [
        format!(
            "<message>{}{}</message>",
            "<a>".repeat(100),
            "</a>".repeat(100)
        ),
        format!("<message>{}</message>", "<a/>".repeat(MAX_ELEMENTS + 1)),
        format!(
            "<message from='x'{}><body>y</body></message>",
            many(300, |n| format!(" a{n}=''"))
        ),
        format!(
            "<presence><x{}/></presence>",
            many(300, |n| format!(" a{n}=''"))
        ),
        format!(
            "<iq type='get'><x{}>z</x></iq>",
            many(200, |n| format!(" xmlns:a{n}='u'"))
        ),
        format!("<message{}/>", many(200, |n| format!(" xmlns:a{n}='u'"))),
        format!("<message><{0}>t</{0}></message>", "n".repeat(2000)),
        format!("<message><a {}=''/></message>", "n".repeat(2000)),
        "<message><xml:a><b/></xml:a></message>".to_owned(),
    ] {
        let text =
            format!("<iq xmlns:p='u'><p:a/></iq>{bad}<message id='after'><body>x</body></message>");
        for size in [usize::MAX, 7] {
            let mut reader = Reader::new(Limits {
                spare_stream: true,
                ..LIMITS
            });
            let mut items = Vec::new();
            for chunk in [OPEN, &text].concat().as_bytes().chunks(size) {
                reader.feed(chunk);
                while let Some(item) = reader.next().expect("the stream goes on") {
                    items.push(item);
                }
            }
            let [_, Item::Child(iq), Item::Child(lost), Item::Child(after)] = items.as_slice()
            else {
                panic!("{} items for {}", items.len(), &bad[..40]);
            };
            assert!(iq.has_child("a", "u"));
            assert_eq!(*lost, inert());
            assert_eq!(after.attr("id"), Some("after"));
            assert_eq!(after.ns(), "jabber:client");
            assert_eq!((reader.declared.len(), reader.counts.len()), (2, 1));
        }
    }
    // What no stanza is has no sender but the server.
    let mut reader = Reader::new(Limits {
        spare_stream: true,
        ..LIMITS
    });
    reader.feed([OPEN, &"<x>".repeat(100)].concat().as_bytes());
    reader.next().unwrap();
    assert!(reader.next().is_err());
}

/// Sequences that are not UTF-8: what expat once let through, and all other ways to be wrong.
const NOT_UTF8: [&[u8]; 20] = [
    b"\x80",
    b"\xbf",
    b"\xc0\x80",
    b"\xc0\xaf",
    b"\xc1\xbf",
    b"\xc3",
    b"\xc3\x28",
    b"\xe0\x80\xaf",
    b"\xe0\x9f\xbf",
    b"\xe2\x82",
    b"\xe2\x28\xa1",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf0\x80\x80\xaf",
    b"\xf0\x8f\xbf\xbf",
    b"\xf0\x9f\x98",
    b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xfe",
    b"\xff",
];

#[test]
fn s_xml_03_whatever_is_not_utf_8_closes_the_stream() {
    for bad in NOT_UTF8 {
        for (before, after) in [
            (&b"<message><body>"[..], &b"</body></message>"[..]),
            (b"<message to='", b"'/>"),
            (b"<m", b"/>"),
            (b"<message a", b"='1'/>"),
            (b"", b"<message/>"),
            (b"<message><![CDATA[", b"]]></message>"),
        ] {
            let bytes = [before, bad, after].concat();
            assert_eq!(
                condition(&bytes),
                Some(Condition::UnsupportedEncoding),
                "{bad:x?} after {}",
                String::from_utf8_lossy(before)
            );
        }
    }
}

#[test]
fn s_xml_03_characters_that_xml_forbids_close_the_stream() {
    for bad in [
        "\u{0}",
        "\u{8}",
        "\u{b}",
        "\u{1b}",
        "\u{fffe}",
        "\u{ffff}",
        "&#0;",
        "&#8;",
        "&#xD800;",
        "&#x110000;",
        "&#xFFFF;",
    ] {
        for text in [format!("<a>{bad}</a>"), format!("<a b='{bad}'/>")] {
            assert!(condition(text.as_bytes()).is_some(), "{text:?}");
        }
    }
}

#[test]
fn s_xml_04_a_stream_in_a_stream_is_refused_at_its_first_tag() {
    let (_, error) = read(OPEN.trim_start_matches("<?xml version='1.0'?>"));
    assert_eq!(error, Some(XmlError::NestedStream));
    // Inside a stanza it is an element like any other, which anybody may have sent.
    let inside = "<message><s:stream xmlns:s='http://etherx.jabber.org/streams'/></message><iq/>";
    let (items, error) = read(inside);
    assert_eq!((items.len(), error), (2, None));
}

#[test]
fn s_xml_05_namespaces_are_taken_as_they_are_written() {
    for namespace in [
        "jabber:client&#10;",
        "jabber:client ",
        "&#10;jabber:client",
        "jabber:Client",
        "jabber:client/",
    ] {
        let text = format!("<message xmlns='{namespace}'/>");
        let (items, error) = read(&text);
        assert_eq!(error, None);
        let [Item::Child(element)] = items.as_slice() else {
            panic!("one stanza");
        };
        assert!(!element.is("message", "jabber:client"), "{text}");
    }
}

#[test]
fn namespaces_must_be_declared_and_not_be_played_with() {
    for bad in [
        "<p:a/>",
        "<a p:b='1'/>",
        "<a xmlns:p='u' xmlns:p='v'/>",
        "<a xmlns='u' xmlns='v'/>",
        "<a xmlns:xmlns='u'/>",
        "<a xmlns:xml='u'/>",
        "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns:p=''/>",
        "<xmlns:a/>",
        "<a b='1' b='2'/>",
        "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>",
        "<a:b:c xmlns:a='u'/>",
        "<a xmlns:p='u'><p:b/></a><p:c/>",
    ] {
        assert!(condition(bad.as_bytes()).is_some(), "{bad}");
    }
}

#[test]
fn what_is_not_well_formed_closes_the_stream() {
    for bad in [
        "<a></b>",
        "<a",
        "<a b></a>",
        "<a b=c/>",
        "<a b='<'/>",
        "</a>",
        "<a>]]></a>",
        "<1a/>",
        "< a/>",
        "<a/ >",
        "text",
        "<a/>text<b/>",
        "&amp;",
        "<a b='1'c='2'/>",
    ] {
        let bytes = [bad.as_bytes(), b"<end/></stream:stream>"].concat();
        assert!(condition(&bytes).is_some(), "{bad}");
    }
}

#[test]
fn s_xml_07_chosen_names_cost_no_more_than_others() {
    // Ordered maps: no hash to aim at. Work is counted, not timed, so that the test is the same
    // everywhere: 256 attributes at most in one map, 128 declarations at most in one search.
    const { assert!(MAX_ATTRIBUTES <= 256 && MAX_DECLARATIONS <= 128) };
    let all: String = (0..MAX_ATTRIBUTES).map(|n| format!(" a{n}=''")).collect();
    let often = format!("<a{all}/>").repeat(300);
    assert_eq!(read(&often).0.len(), 300);
}

/// The same through another path of the parser crate: its own namespaces, its own checks.
fn second_opinion(bytes: &[u8]) -> Option<Vec<String>> {
    let all = [OPEN.as_bytes(), bytes].concat();
    std::str::from_utf8(&all).ok()?;
    let mut parser = rxml::Parser::default();
    let mut rest = all.as_slice();
    let mut told = Vec::new();
    loop {
        match parser.parse(&mut rest, false) {
            Ok(Some(rxml::Event::StartElement(_, (namespace, name), attributes))) => {
                told.push(format!("{namespace}|{name}|{}", attributes.len()));
            }
            Ok(Some(rxml::Event::EndElement(_))) => told.push("end".to_owned()),
            Ok(Some(_)) => {}
            Ok(None) | Err(EndOrError::NeedMoreData) => return Some(told),
            Err(EndOrError::Error(_)) => return None,
        }
    }
}

fn tell(element: &Element, told: &mut Vec<String>) {
    told.push(format!(
        "{}|{}|{}",
        element.ns(),
        element.name(),
        element.attrs().len()
    ));
    for child in element.children() {
        tell(child, told);
    }
    told.push("end".to_owned());
}

/// Pieces that make and break documents.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "<a>",
        "</a>",
        "<a/>",
        "<p:a xmlns:p='u'>",
        "</p:a>",
        "<b p:c='1'/>",
        "<b xmlns='u'>",
        "</b>",
        "<b xmlns=''/>",
        "x",
        " ",
        "&lt;",
        "&x;",
        "]]>",
        "<![CDATA[y]]>",
        "<a b='1' b='2'/>",
        "<a xmlns:p='u' p:b='1'/>",
        "<a xml:lang='de'/>",
        "<a b='",
        "'",
        ">",
        "/>",
        "<!--",
        "<?",
        "\u{e9}",
    ])
}

proptest! {
    #[test]
    fn s_xml_03_two_readers_divide_the_same_bytes_the_same_way(pieces in prop::collection::vec(piece(), 0..12)) {
        let text = pieces.concat();
        let (items, error) = read(&text);
        let opinion = second_opinion(text.as_bytes());
        // Text between stanzas is refused here only.
        if !matches!(error, Some(XmlError::StrayText)) {
            prop_assert_eq!(error.is_none(), opinion.is_some(), "{:?} {:?}", text, error);
        }
        if let (None, Some(opinion)) = (error, opinion) {
            let mut told = vec!["http://etherx.jabber.org/streams|stream|1".to_owned()];
            for item in &items {
                match item {
                    Item::Child(element) => tell(element, &mut told),
                    Item::Close => told.push("end".to_owned()),
                    Item::Open(_) => {}
                }
            }
            // What is not complete yet is told by the other one only.
            prop_assert_eq!(&told[..], &opinion[..told.len()]);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_pieces_do_not_matter(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        size in 1_usize..20,
    ) {
        prop_assert_eq!(read_in(usize::MAX, &bytes), read_in(size, &bytes));
    }

    #[test]
    fn broken_documents_never_panic_and_pieces_do_not_matter(
        pieces in prop::collection::vec(piece(), 0..20),
        size in 1_usize..20,
    ) {
        let text = pieces.concat();
        prop_assert_eq!(read_in(usize::MAX, text.as_bytes()), read_in(size, text.as_bytes()));
    }
}
