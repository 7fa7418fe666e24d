//! DSA keys in DER: PKCS#8 (RFC 5208) and SubjectPublicKeyInfo (RFC 3279, section 2.3.2).

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// 1.2.840.10040.4.1, DSA.
const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01];

/// *p*, *q* and *g*.
type Domain<'a> = [&'a [u8]; 3];

/// Reads a PKCS#8 key: its domain and *x*.
pub(super) fn private_key(bytes: &[u8]) -> Option<(Domain<'_>, &[u8])> {
    let (mut key, rest) = take(bytes, SEQUENCE)?;
    let version = number(&mut key)?;
    let domain = algorithm(&mut key)?;
    let (mut inner, _) = take(key, OCTET_STRING)?;
    let x = number(&mut inner)?;
    (version.iter().all(|byte| *byte == 0) && rest.is_empty() && inner.is_empty())
        .then_some((domain, x))
}

/// Reads a SubjectPublicKeyInfo: its domain and *y*.
pub(super) fn public_key(bytes: &[u8]) -> Option<(Domain<'_>, &[u8])> {
    let (mut key, rest) = take(bytes, SEQUENCE)?;
    let domain = algorithm(&mut key)?;
    let (bits, _) = take(key, BIT_STRING)?;
    let mut inner = bits.strip_prefix(&[0])?;
    let y = number(&mut inner)?;
    (rest.is_empty() && inner.is_empty()).then_some((domain, y))
}

fn algorithm<'a>(input: &mut &'a [u8]) -> Option<Domain<'a>> {
    let (identifier, rest) = take(input, SEQUENCE)?;
    *input = rest;
    let (object, parameters) = take(identifier, OBJECT)?;
    let (mut numbers, end) = take(parameters, SEQUENCE)?;
    let domain = [
        number(&mut numbers)?,
        number(&mut numbers)?,
        number(&mut numbers)?,
    ];
    (object == DSA && end.is_empty() && numbers.is_empty()).then_some(domain)
}

/// A number that is not negative.
fn number<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (content, rest) = take(input, INTEGER)?;
    *input = rest;
    content
        .first()
        .is_some_and(|first| *first < 0x80)
        .then_some(content)
}

/// One element of that tag: its content, and what follows it.
fn take(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = input.split_first()?;
    let (length, rest) = rest.split_first()?;
    if *first != tag {
        return None;
    }
    let (length, rest) = match *length {
        short @ 0..=0x7f => (usize::from(short), rest),
        0x81 => {
            let (length, rest) = rest.split_first()?;
            (usize::from(*length), rest)
        }
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}
