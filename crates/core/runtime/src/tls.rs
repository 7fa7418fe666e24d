//! TLS 1.2 and 1.3, verified against the address's domain and nothing else.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, ProtocolVersion,
    RootCertStore, SignatureScheme,
};
use sotto_engine::io::{CloseReason, DialPlan, TlsEstablished};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificate;
use crate::hybrid::X25519_MLKEM768;

/// XEP-0368 §3: what direct TLS names itself.
const ALPN: &[u8] = b"xmpp-client";

/// RFC 9266 §2.
const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// Whom a link trusts: one account's, for one domain.
pub(crate) struct Trust {
    ascii_domain: String,
    name: ServerName<'static>,
    accepted_keys: Vec<[u8; 32]>,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

impl Trust {
    pub(crate) fn of(plan: &DialPlan) -> Result<Self, CloseReason> {
        let ascii_domain = idna::domain_to_ascii(plan.domain.trim_end_matches('.'))
            .map_err(|_| CloseReason::UnknownServer)?;
        let name =
            ServerName::try_from(ascii_domain.clone()).map_err(|_| CloseReason::UnknownServer)?;
        let identity = match &plan.client_certificate {
            None => None,
            Some(pem) => Some(identity(pem.expose()).map_err(CloseReason::Tls)?),
        };
        Ok(Self {
            ascii_domain,
            name,
            accepted_keys: plan.accepted_keys.clone(),
            identity,
        })
    }

    pub(crate) fn ascii_domain(&self) -> &str {
        &self.ascii_domain
    }
}

fn identity(pem: &str) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|_| "the client certificate cannot be read".to_owned())?;
    if chain.is_empty() {
        return Err("there is no client certificate in what was given".to_owned());
    }
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| "there is no key for the client certificate in what was given".to_owned())?;
    Ok((chain, key))
}

/// What all handshakes share: the system's roots, read when first needed, and the suites.
pub(crate) struct Tls {
    provider: Arc<CryptoProvider>,
    roots: OnceLock<Arc<RootCertStore>>,
}

impl Tls {
    pub(crate) fn new() -> Self {
        // The TLS 1.2 suites of this provider are all AEAD (S-TLS-10).
        let mut provider = rustls::crypto::ring::default_provider();
        provider.kx_groups.insert(0, X25519_MLKEM768);
        Self {
            provider: Arc::new(provider),
            roots: OnceLock::new(),
        }
    }

    #[cfg(test)]
    pub(crate) fn with_roots(roots: RootCertStore) -> Self {
        let tls = Self::new();
        let _ = tls.roots.set(Arc::new(roots));
        tls
    }

    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` come before the system's own store.
    fn roots(&self) -> Arc<RootCertStore> {
        self.roots
            .get_or_init(|| {
                let mut roots = RootCertStore::empty();
                let found = rustls_native_certs::load_native_certs();
                for error in &found.errors {
                    tracing::warn!(
                        "a part of the system's trusted certificates cannot be read: {error}"
                    );
                }
                let (added, ignored) = roots.add_parsable_certificates(found.certs);
                tracing::debug!(added, ignored, "trusted certificates");
                Arc::new(roots)
            })
            .clone()
    }

    fn config(
        &self,
        trust: &Trust,
        direct: bool,
    ) -> Result<(ClientConfig, Arc<Verifier>), CloseReason> {
        let failed = |error: rustls::Error| CloseReason::Tls(error.to_string());
        let roots = self.roots();
        let inner = if roots.is_empty() {
            None
        } else {
            let built =
                WebPkiServerVerifier::builder_with_provider(roots.clone(), self.provider.clone())
                    .build();
            Some(built.map_err(|error| CloseReason::Tls(error.to_string()))?)
        };
        let verifier = Arc::new(Verifier {
            provider: self.provider.clone(),
            roots,
            inner,
            ascii_domain: trust.ascii_domain.clone(),
            accepted_keys: trust.accepted_keys.clone(),
            seen: Mutex::new(Seen::default()),
        });
        let builder = ClientConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(failed)?
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone());
        let mut config = match &trust.identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder
                .with_client_auth_cert(chain.clone(), key.clone_key())
                .map_err(failed)?,
        };
        config.enable_early_data = false;
        // A resumed session would not show its certificate again, and would tie two connections together.
        config.resumption = rustls::client::Resumption::disabled();
        if direct {
            config.alpn_protocols = vec![ALPN.to_vec()];
        }
        Ok((config, verifier))
    }

    /// Does TLS over `stream` and verifies that the other end is the account's domain.
    ///
    /// # Errors
    ///
    /// [`CloseReason::Certificate`] with what was shown, when it proves nothing; nothing was sent over TLS then.
    pub(crate) async fn handshake(
        &self,
        stream: TcpStream,
        trust: &Trust,
        direct: bool,
        wait: Duration,
    ) -> Result<(TlsStream<TcpStream>, TlsEstablished), CloseReason> {
        let (config, verifier) = self.config(trust, direct)?;
        let connect = TlsConnector::from(Arc::new(config)).connect(trust.name.clone(), stream);
        let stream = match timeout(wait, connect).await {
            Err(_) => return Err(CloseReason::TimedOut),
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                let seen = verifier.seen();
                return Err(match seen.refused {
                    Some(reason) => CloseReason::Certificate {
                        reason,
                        chain: certificate::view(&seen.chain),
                    },
                    None if error.kind() == std::io::ErrorKind::UnexpectedEof => CloseReason::Eof,
                    None if error.get_ref().is_some_and(|e| e.is::<rustls::Error>()) => {
                        CloseReason::Tls(error.to_string())
                    }
                    None => CloseReason::Io(error.to_string()),
                });
            }
        };
        let (_, connection) = stream.get_ref();
        let chain = connection.peer_certificates().unwrap_or_default();
        let tls13 = connection.protocol_version() == Some(ProtocolVersion::TLSv1_3);
        // On TLS 1.2 the exporter is unique only with the extended master secret, which rustls does not report.
        let exporter = if tls13 {
            connection
                .export_keying_material([0; 32], EXPORTER_LABEL, Some(&[]))
                .ok()
        } else {
            None
        };
        let established = TlsEstablished {
            exporter,
            server_end_point: chain.first().and_then(certificate::server_end_point),
            tls13,
            cipher: cipher(connection),
            certificate: certificate::view(chain),
        };
        Ok((stream, established))
    }
}

/// Suite and key exchange, for the details page: `TLS_AES_256_GCM_SHA384, X25519MLKEM768`.
fn cipher(connection: &ClientConnection) -> String {
    let suite = connection
        .negotiated_cipher_suite()
        .and_then(|suite| suite.suite().as_str())
        .unwrap_or_default()
        // RFC 8446 §B.4 knows no version in the names.
        .replacen("TLS13_", "TLS_", 1);
    match connection.negotiated_key_exchange_group() {
        Some(group) => match group.name().as_str() {
            Some(name) => format!("{suite}, {name}"),
            None => suite,
        },
        None => suite,
    }
}

#[derive(Clone, Default)]
struct Seen {
    chain: Vec<CertificateDer<'static>>,
    refused: Option<String>,
}

/// Verifies one handshake; keeps what was shown, so that a person can be asked.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    inner: Option<Arc<WebPkiServerVerifier>>,
    ascii_domain: String,
    accepted_keys: Vec<[u8; 32]>,
    seen: Mutex<Seen>,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seen")
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}

impl Verifier {
    fn seen(&self) -> Seen {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        // The exact key that the person accepted, for this account and domain (S-TLS-05).
        if certificate::key_hash(leaf).is_some_and(|hash| self.accepted_keys.contains(&hash)) {
            return Ok(());
        }
        let Some(inner) = &self.inner else {
            return Err(CertificateError::UnknownIssuer.into());
        };
        let error = match inner.verify_server_cert(leaf, rest, name, &[], now) {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        let wrong_name = matches!(
            error,
            rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
            )
        );
        if wrong_name && certificate::proves_by_other_name(leaf, &self.ascii_domain) {
            // The name is proved in XMPP's own way; the chain must hold all the same.
            let algorithms = self.provider.signature_verification_algorithms.all;
            return rustls::client::verify_server_cert_signed_by_trust_anchor(
                &ParsedCertificate::try_from(leaf)?,
                &self.roots,
                rest,
                now,
                algorithms,
            );
        }
        Err(error)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let result = self.verify(leaf, rest, name, now);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.chain = std::iter::once(leaf)
            .chain(rest)
            .take(10)
            .map(|c| c.clone().into_owned())
            .collect();
        match result {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(error) => {
                seen.refused = Some(reason(&error, &seen.chain));
                Err(error)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// What is wrong with a certificate, in one technical word where there is one.
fn reason(error: &rustls::Error, chain: &[CertificateDer<'_>]) -> String {
    let rustls::Error::InvalidCertificate(error) = error else {
        return error.to_string();
    };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "Expired".into(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "NotValidYet".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "NotValidForName".into()
        }
        CertificateError::Revoked => "Revoked".into(),
        CertificateError::UnknownIssuer
            if certificate::view(chain)
                .summary
                .issuer
                .starts_with("itself") =>
        {
            "SelfSigned".into()
        }
        CertificateError::UnknownIssuer => "UnknownIssuer".into(),
        CertificateError::BadSignature => "BadSignature".into(),
        // What the library knows but has no word of its own for, such as `CaUsedAsEndEntity`.
        CertificateError::Other(other) => word(&format!("{:?}", other.0)),
        other => word(&format!("{other:?}")),
    }
}

/// The first word of a variant with fields, whether it tells the circumstances or not.
fn word(debug: &str) -> String {
    let word = debug
        .split(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default();
    word.strip_suffix("Context").unwrap_or(word).to_owned()
}

#[cfg(test)]
mod tests;
