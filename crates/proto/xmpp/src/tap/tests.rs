use super::*;

const CLIENT: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' to='example.org' from='sara@example.org' version='1.0' xml:lang='en'>";
const SERVER: &str = "<stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' from='example.org' id='c2' version='1.0'>";

/// Feeds in pieces of some length, so that nothing depends on where a read ends.
fn fed(length: usize, text: &str, feed: impl FnMut(&[u8]) -> Vec<String>) -> Vec<String> {
    text.as_bytes().chunks(length).flat_map(feed).collect()
}

#[test]
fn s_store_16_a_log_in_is_followed_and_nothing_of_its_credentials_is_left() {
    for length in [1, 7, 4096] {
        let mut tap = Tap::new();
        let mut all = Vec::new();
        all.extend(fed(length, CLIENT, |b| tap.outgoing(b)));
        all.extend(fed(
            length,
            &format!(
                "{SERVER}<stream:features><mechanisms xmlns='{SASL}'><mechanism>SCRAM-SHA-1</mechanism>\
                 </mechanisms></stream:features>"
            ),
            |b| tap.incoming(b),
        ));
        let auth = format!("<auth xmlns='{SASL}' mechanism='SCRAM-SHA-1'>Y2FuYXJ5</auth>");
        all.extend(fed(length, &auth, |b| tap.outgoing(b)));
        let challenge = format!("<challenge xmlns='{SASL}'>Y2FuYXJ5</challenge>");
        all.extend(fed(length, &challenge, |b| tap.incoming(b)));
        let response = format!("<response xmlns='{SASL}'>Y2FuYXJ5</response>");
        all.extend(fed(length, &response, |b| tap.outgoing(b)));
        // The server's next words may come in the same packet.
        let success = format!("<success xmlns='{SASL}'>Y2FuYXJ5</success>");
        all.extend(fed(length, &success, |b| tap.incoming(b)));
        all.extend(fed(length, CLIENT, |b| tap.outgoing(b)));
        all.extend(fed(length, SERVER, |b| tap.incoming(b)));
        all.extend(fed(length, "<iq type='get' id='1'/>", |b| tap.outgoing(b)));
        all.extend(fed(
            length,
            "<iq type='result' id='1'/></stream:stream>",
            |b| tap.incoming(b),
        ));
        assert_eq!(all.len(), 12, "{all:#?}");
        let text = all.concat();
        assert!(!text.contains("Y2Fu"), "{text}");
        assert_eq!(text.matches(BLANKED).count(), 4, "{text}");
        assert!(text.contains("SCRAM-SHA-1</mechanism>"), "{text}");
        assert!(text.contains("xml:lang='en'"), "{text}");
        assert_eq!(text.matches("<stream:stream").count(), 4);
        assert!(
            text.ends_with("<iq id='1' type='result'/></stream:stream>"),
            "{text}"
        );
        assert!(text.contains("<stream:features><mechanisms"), "{text}");
        assert!(text.contains("</mechanisms></stream:features>"), "{text}");
    }
}

#[test]
fn s_store_16_passwords_of_every_kind_are_blanked_and_the_rest_stays() {
    let mut tap = Tap::within_stream();
    let sent = [
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-1-PLUS'><initial-response>canary\
         </initial-response><user-agent id='d4'><software>Sotto</software></user-agent></authenticate>",
        "<response xmlns='urn:xmpp:sasl:2'>canary</response>",
        "<iq type='set' id='1'><query xmlns='jabber:iq:register'><username>sara</username>\
         <password>canary</password><key>canary</key></query></iq>",
        "<iq type='set' id='2'><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'>\
         <field var='username'><value>sara</value></field>\
         <field var='password'><value>canary</value></field>\
         <field var='pin' type='text-private'><value>canary</value><value>canary</value></field></x></query></iq>",
        "<iq type='set' id='3'><query xmlns='jabber:iq:auth'><username>sara</username><digest>canary</digest></query></iq>",
    ];
    let came = [
        "<success xmlns='urn:xmpp:sasl:2'><additional-data>canary</additional-data>\
         <authorization-identifier>sara@example.org/x</authorization-identifier>\
         <token xmlns='urn:xmpp:fast:0' token='canary' expiry='2027-01-01T00:00:00Z'/></success>",
        "<iq type='result' id='4'><services xmlns='urn:xmpp:extdisco:2'>\
         <service host='turn.example.org' username='u' password='canary'/></services></iq>",
    ];
    let mut text = String::new();
    for stanza in sent {
        text += &tap.outgoing(stanza.as_bytes()).concat();
    }
    for stanza in came {
        text += &tap.incoming(stanza.as_bytes()).concat();
    }
    assert!(!text.contains("canary"), "{text}");
    for kept in [
        "sara@example.org/x",
        ">sara<",
        "Sotto",
        "turn.example.org",
        "SCRAM-SHA-1-PLUS",
    ] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
}

#[test]
fn words_that_are_said_stay_as_they_are() {
    let mut tap = Tap::within_stream();
    let message = "<message to='leila@example.org' type='chat'><body>the password is fine &amp; &lt;b&gt;</body></message>";
    let pieces = tap.outgoing(message.as_bytes());
    assert_eq!(pieces.len(), 1);
    assert!(
        pieces[0].contains("the password is fine &amp; &lt;b&gt;"),
        "{pieces:?}"
    );
}

#[test]
fn what_does_not_read_ends_the_tap_of_that_side_only() {
    let mut tap = Tap::within_stream();
    assert!(tap.incoming(b"<a><b></a>").is_empty());
    assert!(tap.incoming(b"<presence/>").is_empty());
    assert_eq!(tap.outgoing(b"<presence/>").len(), 1);
}
