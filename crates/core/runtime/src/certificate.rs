//! What a certificate says, readable; and the hashes that an exception or a binding is made of.

use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256, Sha384, Sha512};
use sotto_api::Timestamp;
use sotto_api::view::{CertificateSummary, CertificateView};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// More names than this are not shown.
const MOST_NAMES: usize = 100;

/// More certificates of a chain than this are not shown.
const LONGEST_CHAIN: usize = 10;

/// SHA-256 of the public key (SubjectPublicKeyInfo); absent when the certificate cannot be read.
pub(crate) fn key_hash(certificate: &CertificateDer<'_>) -> Option<[u8; 32]> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    Some(Sha256::digest(parsed.public_key().raw).into())
}

/// RFC 5929 §4.1: the hash of the certificate, by the function its signature uses, where that is MD5 or SHA-1 by SHA-256.
/// Absent where the signature uses none, or more than one.
pub(crate) fn server_end_point(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let der = certificate.as_ref();
    match parsed.signature_algorithm.algorithm.to_id_string().as_str() {
        // RSA with MD5, SHA-1, SHA-256; ECDSA with SHA-1, SHA-256.
        "1.2.840.113549.1.1.4"
        | "1.2.840.113549.1.1.5"
        | "1.2.840.113549.1.1.11"
        | "1.2.840.10045.4.1"
        | "1.2.840.10045.4.3.2" => Some(Sha256::digest(der).to_vec()),
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => Some(Sha384::digest(der).to_vec()),
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => Some(Sha512::digest(der).to_vec()),
        _ => None,
    }
}

/// What a person is shown. A certificate that cannot be read is shown by its hash.
pub(crate) fn view(chain: &[CertificateDer<'_>]) -> CertificateView {
    let leaf: &[u8] = chain.first().map_or(&[], |c| c.as_ref());
    let sha256 = hex(&Sha256::digest(leaf));
    let pem = chain.iter().take(LONGEST_CHAIN).map(|c| pem(c)).collect();
    let Ok((_, parsed)) = X509Certificate::from_der(leaf) else {
        let summary = CertificateSummary {
            subject: "?".into(),
            issuer: "?".into(),
            not_before: Timestamp(0),
            not_after: Timestamp(0),
            sha256,
            key_sha256: String::new(),
        };
        return CertificateView {
            summary,
            names: Vec::new(),
            pem,
        };
    };
    let names = names(&parsed);
    let common_name = |name: &x509_parser::x509::X509Name<'_>| {
        name.iter_common_name()
            .chain(name.iter_organization())
            .find_map(|a| a.as_str().ok())
            .map(readable)
            .filter(|text| !text.is_empty())
    };
    let subject = names
        .first()
        .cloned()
        .or_else(|| common_name(parsed.subject()))
        .unwrap_or_else(|| "?".into());
    let issuer = if parsed.subject() == parsed.issuer() {
        "itself (nobody vouches)".to_owned()
    } else {
        common_name(parsed.issuer()).unwrap_or_else(|| "?".into())
    };
    let validity = parsed.validity();
    let stamp = |seconds: i64| Timestamp(seconds.saturating_mul(1000));
    let summary = CertificateSummary {
        subject,
        issuer,
        not_before: stamp(validity.not_before.timestamp()),
        not_after: stamp(validity.not_after.timestamp()),
        sha256,
        key_sha256: hex(&Sha256::digest(parsed.public_key().raw)),
    };
    CertificateView {
        summary,
        names,
        pem,
    }
}

/// All names of subjectAltName that mean a server.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(alternative)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    alternative
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(readable(name)),
            GeneralName::IPAddress(bytes) => match bytes.len() {
                4 => <[u8; 4]>::try_from(*bytes)
                    .ok()
                    .map(|b| std::net::IpAddr::from(b).to_string()),
                16 => <[u8; 16]>::try_from(*bytes)
                    .ok()
                    .map(|b| std::net::IpAddr::from(b).to_string()),
                _ => None,
            },
            GeneralName::OtherName(oid, value) => {
                other_name(&oid.to_id_string(), value).map(|(_, text)| readable(&text))
            }
            _ => None,
        })
        .take(MOST_NAMES)
        .collect()
}

/// Which kind of otherName it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Other {
    /// RFC 4985: `_service.domain`.
    Srv,
    /// RFC 6120 §13.7.1.4: an XMPP address.
    XmppAddr,
}

fn other_name(oid: &str, value: &[u8]) -> Option<(Other, String)> {
    let kind = match oid {
        "1.3.6.1.5.5.7.8.7" => Other::Srv,
        "1.3.6.1.5.5.7.8.5" => Other::XmppAddr,
        _ => return None,
    };
    // [0] EXPLICIT around an IA5String (0x16) or a UTF8String (0x0c); short lengths only, as names have.
    let inner = match value {
        [0xa0, length, rest @ ..] if usize::from(*length) == rest.len() && *length < 0x80 => rest,
        other => other,
    };
    let text = match inner {
        [0x16 | 0x0c, length, rest @ ..]
            if usize::from(*length) == rest.len() && *length < 0x80 =>
        {
            rest
        }
        _ => return None,
    };
    String::from_utf8(text.to_vec())
        .ok()
        .map(|text| (kind, text))
}

/// Whether an SRV-ID or xmppAddr proves `domain` for an XMPP client (RFC 6120 §13.7.1.2, §13.7.1.4).
///
/// Says nothing of the chain: that must be checked apart.
pub(crate) fn proves_by_other_name(certificate: &CertificateDer<'_>, domain: &str) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
        return false;
    };
    let Ok(Some(alternative)) = parsed.subject_alternative_name() else {
        return false;
    };
    alternative.value.general_names.iter().any(|name| {
        let GeneralName::OtherName(oid, value) = name else {
            return false;
        };
        match other_name(&oid.to_id_string(), value) {
            Some((Other::Srv, text)) => ["_xmpp-client.", "_xmpps-client."].iter().any(|service| {
                text.len() > service.len()
                    && text.is_char_boundary(service.len())
                    && text[..service.len()].eq_ignore_ascii_case(service)
                    && text[service.len()..].eq_ignore_ascii_case(domain)
            }),
            Some((Other::XmppAddr, text)) => {
                let ascii = idna::domain_to_ascii(&text).unwrap_or(text);
                ascii.eq_ignore_ascii_case(domain)
            }
            None => false,
        }
    })
}

/// Foreign text without anything that could disguise it.
fn readable(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() && !('\u{200b}'..='\u{206f}').contains(c))
        .take(256)
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out.push_str("-----END CERTIFICATE-----\n");
    out
}

#[cfg(test)]
mod tests;
