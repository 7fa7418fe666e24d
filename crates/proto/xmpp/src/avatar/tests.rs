use super::*;
use crate::vcard;

/// The smallest PNG: one transparent pixel.
const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";

fn hash(bytes: &[u8]) -> String {
    hex(&Sha1::digest(bytes))
}

#[test]
fn s_media_03_only_png_jpeg_and_webp_are_accepted() {
    for (bytes, expected) in [
        (PNG, Ok(Format::Png)),
        (b"\xFF\xD8\xFF\xE0\0\x10JFIF".as_slice(), Ok(Format::Jpeg)),
        (b"RIFF\x24\0\0\0WEBPVP8 ", Ok(Format::WebP)),
        (b"", Err(NoPicture::Missing)),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            Err(NoPicture::UnknownFormat),
        ),
        (
            b"<?xml version='1.0'?><svg/>",
            Err(NoPicture::UnknownFormat),
        ),
        (b"GIF89a", Err(NoPicture::UnknownFormat)),
        (b"BM", Err(NoPicture::UnknownFormat)),
        (b"RIFF\x24\0\0\0WAVE", Err(NoPicture::UnknownFormat)),
        (b"RIFF", Err(NoPicture::UnknownFormat)),
        (b"\x89PNG", Err(NoPicture::UnknownFormat)),
        (b"\0\0\0\x1cftypavif", Err(NoPicture::UnknownFormat)),
    ] {
        assert_eq!(
            accept(bytes.to_vec(), None).map(|picture| picture.format()),
            expected
        );
    }
}

#[test]
fn s_media_03_the_bytes_must_be_the_announced_ones() {
    assert!(accept(PNG.to_vec(), Some(&hash(PNG))).is_ok());
    assert!(accept(PNG.to_vec(), Some(&hash(PNG).to_uppercase())).is_ok());
    for other in ["", "00", &hash(b"other")] {
        assert_eq!(
            accept(PNG.to_vec(), Some(other)),
            Err(NoPicture::OtherHash),
            "{other}"
        );
    }
}

#[test]
fn s_media_03_more_than_one_mebibyte_is_refused() {
    let mut bytes = PNG.to_vec();
    bytes.resize(MAX_BYTES, 0);
    assert!(accept(bytes.clone(), None).is_ok());
    bytes.push(0);
    assert_eq!(accept(bytes, None), Err(NoPicture::TooLarge));
    let huge = el("data", ns::AVATAR_DATA).text_of("A".repeat(MAX_BYTES * 3));
    assert_eq!(decode(&huge), Err(NoPicture::TooLarge));
}

#[test]
fn metadata_of_a_picture_that_we_can_use_is_chosen() {
    let parse = |inner: &str| {
        let xml = format!("<metadata xmlns='urn:xmpp:avatar:metadata'>{inner}</metadata>");
        parse_metadata(&xml.parse().unwrap())
    };
    let id = "111f4b3c50d7b0df729d299bc6f8e9ef9066971f";
    let good = format!("<info bytes='12345' id='{id}' height='64' type='image/png' width='64'/>");
    let Some(Published::Picture(found)) = parse(&good) else {
        panic!("a picture expected");
    };
    assert_eq!((found.hash.as_str(), found.width), (id, Some(64)));
    assert_eq!(parse(""), Some(Published::None));
    for unusable in [
        format!(
            "<info bytes='12345' id='{id}' type='image/png' url='http://tracker.example/a.png'/>"
        ),
        format!("<info bytes='12345' id='{id}' type='image/svg+xml'/>"),
        format!("<info bytes='99999999' id='{id}' type='image/png'/>"),
        format!("<info bytes='-1' id='{id}' type='image/png'/>"),
        "<info bytes='12345' id='../../etc/passwd' type='image/png'/>".to_owned(),
        "<info/>".to_owned(),
    ] {
        assert_eq!(parse(&unusable), None, "{unusable}");
        assert!(matches!(
            parse(&(unusable + &good)),
            Some(Published::Picture(_))
        ));
    }
}

#[test]
fn what_we_publish_can_be_fetched_again() {
    let picture = accept(PNG.to_vec(), None).unwrap();
    let answer = |iq: &Element, node: &str| {
        let item = iq
            .get_child("publish", ns::PUBSUB)
            .unwrap()
            .get_child("item", ns::PUBSUB);
        let items = el("items", ns::PUBSUB)
            .with("node", node)
            .child(item.unwrap().clone());
        el("pubsub", ns::PUBSUB).child(items)
    };
    let data = answer(&publish_data(&picture), ns::AVATAR_DATA);
    assert_eq!(parse_data(&data, picture.hash()), Ok(picture.clone()));
    assert_eq!(parse_data(&data, &hash(b"x")), Err(NoPicture::Missing));
    let metadata = answer(&publish_metadata(&picture, 1, 1), ns::AVATAR_METADATA);
    let items = pep::parse_items(&metadata, ns::AVATAR_METADATA).unwrap();
    let read = parse_metadata(items[0].payload.as_ref().unwrap());
    assert!(matches!(read, Some(Published::Picture(found)) if found.hash == picture.hash()));
}

#[test]
fn a_vcard_keeps_everything_but_its_picture() {
    let vcard: Element = "<vCard xmlns='vcard-temp'><FN>Juliet</FN><PHOTO><TYPE>image/gif</TYPE>\
        <BINVAL>R0lG</BINVAL></PHOTO></vCard>"
        .parse()
        .unwrap();
    assert_eq!(vcard::picture(&vcard, None), Err(NoPicture::UnknownFormat));
    let picture = accept(PNG.to_vec(), None).unwrap();
    let changed = vcard::with_picture(Some(&vcard), Some(&picture));
    assert_eq!(vcard::picture(&changed, Some(picture.hash())), Ok(picture));
    assert_eq!(vcard::name(&changed).as_deref(), Some("Juliet"));
    let removed = vcard::with_picture(Some(&changed), None);
    assert_eq!(vcard::picture(&removed, None), Err(NoPicture::Missing));
}
