//! Links in a text (S-UI-02, S-UI-05, S-UI-08): found in one pass, only schemes that are known to be
//! harmless to hand on, and with a target that says where it truly goes.
//!
//! Nothing is opened here. The shell shows [`LinkSpan::target`] and asks; it then starts the system's
//! opener without a shell, with the target as one argument. A target is ASCII, has no space and no
//! control character, and begins with its scheme, so it cannot be taken for an option.

use std::net::{Ipv4Addr, Ipv6Addr};

use idna::AsciiDenyList;
use sotto_api::view::LinkSpan;

use crate::confusable::{Suspicion, host_suspicion};
use crate::words;

/// Longest link, in bytes; a longer one stays plain text.
const LONGEST: usize = 2_048;

/// Links looked for in one message.
const MOST: usize = 200;

/// The allow-list. A longer scheme before a shorter one that it begins with.
const SCHEMES: [&str; 7] = ["https", "http", "mailto", "xmpp", "sips", "sip", "geo"];

/// Finds the links of a text, in order and without overlap. Time grows with the length of the text.
pub fn find(text: &str) -> Vec<LinkSpan> {
    let mut links = Vec::new();
    let mut after = 0;
    for (colon, _) in text.match_indices(':') {
        if colon < after || links.len() >= MOST {
            continue;
        }
        let Some(start) = scheme_start(text, colon) else {
            continue;
        };
        if start < after {
            continue;
        }
        let end = colon + 1 + extent(text.get(colon + 1..).unwrap_or(""));
        let Some(raw) = text.get(start..end) else {
            continue;
        };
        if raw.len() > LONGEST {
            // The rest of an overlong word holds no link either, or it could be cut to look like one.
            after = end;
            continue;
        }
        let raw = trim(raw);
        if let Some(target) = target(raw) {
            after = start + raw.len();
            links.push(LinkSpan {
                start,
                end: after,
                target: target.text,
                warning: target.warning,
            });
        }
    }
    links
}

/// Where a link is to go, checked.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    /// ASCII, beginning with its scheme in lower case.
    pub text: String,
    /// Why to be careful; empty for nothing.
    pub warning: String,
}

/// Checks one link as a whole: a scheme of the allow-list and a form that fits it. `None` otherwise.
pub fn target(raw: &str) -> Option<Target> {
    let (scheme, rest) = raw.split_once(':')?;
    let scheme = SCHEMES
        .iter()
        .find(|known| scheme.eq_ignore_ascii_case(known))?;
    if rest.is_empty() || rest.chars().any(ends_link) {
        return None;
    }
    match *scheme {
        "http" | "https" => web(scheme, rest),
        "geo" => geo(rest),
        _ => address(scheme, rest),
    }
}

// ---- where a link begins and ends ------------------------------------------------------------

/// The first byte of a known scheme that ends at `colon` and begins at a border.
fn scheme_start(text: &str, colon: usize) -> Option<usize> {
    SCHEMES.iter().find_map(|scheme| {
        let start = colon.checked_sub(scheme.len())?;
        if !text.get(start..colon)?.eq_ignore_ascii_case(scheme) {
            return None;
        }
        let before = text.get(..start)?.chars().next_back();
        let border =
            before.is_none_or(|c| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.'));
        border.then_some(start)
    })
}

/// Bytes up to the first character that no link holds.
fn extent(rest: &str) -> usize {
    rest.find(ends_link).unwrap_or(rest.len())
}

/// Characters that no link holds: white space, controls, marks of direction, quotes, angle brackets,
/// the backslash (which browsers take for a slash), and the full stops and brackets of East Asia.
fn ends_link(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character,
            '<' | '>' | '"' | '\\' | '^' | '`' | '{' | '}' | '|'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffd}' | '\u{ad}' | '\u{61c}'
            | '。' | '、' | '，' | '；' | '：' | '！' | '？' | '（' | '）' | '「' | '」' | '『' | '』'
            | '【' | '】' | '《' | '》' | '〈' | '〉' | '“' | '”' | '„' | '«' | '»')
}

/// Takes off the punctuation that belongs to the sentence, and brackets that were opened before it.
fn trim(raw: &str) -> &str {
    let count = |wanted: char| raw.chars().filter(|c| *c == wanted).count() as i64;
    let mut open_round = count(')') - count('(');
    let mut open_square = count(']') - count('[');
    let mut link = raw;
    while let Some(last) = link.chars().next_back() {
        let cut = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | '…' | '’' | '،' | '؛'
            | '؟' | '।' | '۔' => true,
            ')' if open_round > 0 => {
                open_round -= 1;
                true
            }
            ']' if open_square > 0 => {
                open_square -= 1;
                true
            }
            _ => false,
        };
        if !cut {
            break;
        }
        link = link.get(..link.len() - last.len_utf8()).unwrap_or("");
    }
    link
}

// ---- what it points to -----------------------------------------------------------------------

fn web(scheme: &str, rest: &str) -> Option<Target> {
    let rest = rest.strip_prefix("//")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at_checked(end)?;
    let (userinfo, host_port) = match authority.rsplit_once('@') {
        Some((userinfo, host_port)) => (Some(userinfo), host_port),
        None => (None, authority),
    };
    let host = host_port_ascii(host_port)?;
    let mut text = format!("{scheme}://");
    if let Some(userinfo) = userinfo {
        push_encoded(&mut text, userinfo);
        text.push('@');
    }
    text.push_str(&host.ascii);
    text.push_str(&host.port);
    push_encoded(&mut text, tail);
    let warning = match (userinfo, host.suspicion) {
        (_, Some(suspicion)) => words::link_lookalike(&host.ascii, suspicion),
        (Some(_), None) => words::link_userinfo(&host.ascii),
        (None, None) => String::new(),
    };
    Some(Target { text, warning })
}

/// `mailto` (RFC 6068), `xmpp` (RFC 5122), `sip` and `sips` (RFC 3261 §19.1).
fn address(scheme: &str, rest: &str) -> Option<Target> {
    // XMPP may name the account that is to act: xmpp://account@host/target. That is ours to choose.
    if rest.starts_with('/') {
        return None;
    }
    let end = rest.find(['?', ';', '/', '#']).unwrap_or(rest.len());
    let (who, tail) = rest.split_at_checked(end)?;
    let (local, host_port) = match who.rsplit_once('@') {
        Some((local, host)) if !local.is_empty() => (Some(local), host),
        Some(_) => return None,
        None => (None, who),
    };
    if scheme == "mailto" && (local.is_none_or(|l| l.contains([',', '@'])) || attaches(tail)) {
        return None;
    }
    let host = host_port_ascii(host_port)?;
    if !host.port.is_empty() && !scheme.starts_with("sip") {
        return None;
    }
    let mut text = format!("{scheme}:");
    if let Some(local) = local {
        push_encoded(&mut text, local);
        text.push('@');
    }
    text.push_str(&host.ascii);
    text.push_str(&host.port);
    push_encoded(&mut text, tail);
    let name = local.and_then(crate::confusable::suspicion);
    let warning = match name.or(host.suspicion) {
        Some(suspicion) => words::link_lookalike(&text, suspicion),
        None => String::new(),
    };
    Some(Target { text, warning })
}

/// Whether a mail link names a file to attach, which some mail programs obey.
fn attaches(tail: &str) -> bool {
    tail.to_ascii_lowercase().contains("attach")
        || tail.contains('%') && {
            let decoded = percent_decoded(tail).to_ascii_lowercase();
            decoded.contains("attach")
        }
}

/// `geo:latitude,longitude[,altitude][;…]` (RFC 5870).
fn geo(rest: &str) -> Option<Target> {
    let end = rest.find([';', '?']).unwrap_or(rest.len());
    let (coordinates, tail) = rest.split_at_checked(end)?;
    let mut figures = 0;
    for figure in coordinates.split(',') {
        let plain = figure
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
        if !plain || figure.parse::<f64>().is_err() {
            return None;
        }
        figures += 1;
    }
    if !(2..=3).contains(&figures) {
        return None;
    }
    let mut text = format!("geo:{coordinates}");
    push_encoded(&mut text, tail);
    Some(Target {
        text,
        warning: String::new(),
    })
}

struct Host {
    ascii: String,
    /// With its colon; empty for none.
    port: String,
    suspicion: Option<Suspicion>,
}

fn host_port_ascii(host_port: &str) -> Option<Host> {
    if let Some(literal) = host_port.strip_prefix('[') {
        let (address, port) = literal.split_once(']')?;
        address.parse::<Ipv6Addr>().ok()?;
        return Some(Host {
            ascii: format!("[{}]", address.to_ascii_lowercase()),
            port: port_of(port)?,
            suspicion: None,
        });
    }
    let (host, port) = match host_port.find(':') {
        Some(colon) => host_port.split_at_checked(colon)?,
        None => (host_port, ""),
    };
    let port = port_of(port)?;
    let ascii = idna::domain_to_ascii_cow(host.as_bytes(), AsciiDenyList::URL).ok()?;
    let bare = ascii.strip_suffix('.').unwrap_or(&ascii);
    let plain = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    if bare.len() > 253 || !bare.split('.').all(plain) {
        return None;
    }
    // A last label of digits is an IPv4 address for every browser, in many disguises; take one form only.
    let last = bare.rsplit('.').next().unwrap_or("");
    let figure = last.bytes().all(|b| b.is_ascii_digit())
        || last
            .strip_prefix("0x")
            .is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if figure && bare.parse::<Ipv4Addr>().is_err() {
        return None;
    }
    let (unicode, _) = idna::domain_to_unicode(bare);
    Some(Host {
        suspicion: host_suspicion(&unicode),
        ascii: ascii.into_owned(),
        port,
    })
}

/// A port with its colon, or nothing.
fn port_of(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some(String::new());
    }
    let digits = text.strip_prefix(':')?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let port: u16 = digits.parse().ok()?;
    (port != 0).then(|| format!(":{port}"))
}

/// Appends what an IRI holds as a URI does: letters beyond ASCII, and what no URI holds, as UTF-8 in
/// per cent (RFC 3987 §3.1).
fn push_encoded(target: &mut String, part: &str) {
    for character in part.chars() {
        if character.is_ascii_graphic() && !matches!(character, '\'' | '[' | ']') {
            target.push(character);
        } else {
            let mut buffer = [0; 4];
            for byte in character.encode_utf8(&mut buffer).bytes() {
                target.push_str(&format!("%{byte:02X}"));
            }
        }
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let value = (*first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match value {
            Some(value) => {
                bytes.push(value);
                rest = after.get(2..).unwrap_or(&[]);
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
