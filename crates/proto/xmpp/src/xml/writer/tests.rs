use proptest::prelude::*;
use rxml::{Namespace, NcName};

use super::*;

fn read(text: &str) -> Element {
    text.parse().expect("what we write can be read")
}

#[test]
fn s_xml_08_text_and_attributes_read_back_equal() {
    for value in [
        "<x/>",
        "]]>",
        "&amp;",
        "'\"",
        " a ",
        "a\tb",
        "a\nb",
        "a\rb",
        "a\r\nb",
        "\u{fffd}",
        "👩‍👩‍👧‍👦",
        "\u{85}\u{2028}",
        "",
    ] {
        let mut element = Element::bare("body", "jabber:client");
        element.append_text_node(value);
        element.set_attr(
            Namespace::NONE,
            NcName::try_from("a".to_owned()).unwrap(),
            value,
        );
        let back = read(&to_string(&element));
        assert_eq!(back.text(), value);
        assert_eq!(back.attr("a"), Some(value));
    }
}

#[test]
fn s_xml_08_forbidden_characters_are_left_out() {
    let mut element = Element::bare("body", "jabber:client");
    element.append_text_node("a\u{0}b\u{8}c\u{1b}d\u{fffe}e\u{ffff}f");
    assert_eq!(
        to_string(&element),
        "<body xmlns='jabber:client'>abcdef</body>"
    );
}

#[test]
fn s_xml_08_names_that_are_none_write_nothing() {
    let mut element = Element::bare("message", "jabber:client");
    element.append_child(Element::bare("x><evil/", "jabber:client"));
    element.append_child(Element::bare("", "jabber:client"));
    element.append_child(Element::bare("a:b", "jabber:client"));
    element.append_child(Element::bare("a", "http://www.w3.org/2000/xmlns/"));
    element.append_child(Element::bare("a", "http://www.w3.org/XML/1998/namespace"));
    assert_eq!(
        to_string(&element),
        "<message xmlns='jabber:client'></message>"
    );
}

#[test]
fn namespaces_are_declared_where_they_change() {
    let text = "<message xmlns='jabber:client' xml:lang='de'><body>x</body><x xmlns='u:x'><y/><z xmlns=''/></x></message>";
    assert_eq!(to_string(&read(text)), text);
    let mut inside = String::new();
    write_in_stream(&mut inside, &read(text));
    assert_eq!(inside, text.replace(" xmlns='jabber:client'", ""));
}

#[test]
fn attributes_of_other_namespaces_keep_them() {
    let text = "<a xmlns='u:a' xmlns:p='u:p' p:x='1' xmlns:q='u:q' q:x='2'/>";
    let element = read(text);
    assert_eq!(read(&to_string(&element)), element);
}

proptest! {
    #[test]
    fn s_xml_08_whatever_is_in_a_tree_can_be_read_back(
        name in ".{0,8}",
        namespace in ".{0,12}",
        text in ".{0,24}",
        value in ".{0,24}",
    ) {
        let mut child = Element::bare(name, namespace);
        child.append_text_node(text);
        child.set_attr(Namespace::NONE, NcName::try_from("a".to_owned()).unwrap(), value);
        let mut element = Element::bare("message", "jabber:client");
        element.append_child(child);
        let written = to_string(&element);
        let back: Result<Element, _> = written.parse();
        prop_assert!(back.is_ok(), "{}", written);
        let back = back.unwrap();
        prop_assert_eq!(read(&to_string(&back)), back);
    }
}
