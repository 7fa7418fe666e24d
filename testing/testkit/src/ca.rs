//! A private certificate authority for servers on loopback.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};

/// A certificate authority that nobody else trusts.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its key, PEM.
#[derive(Clone)]
pub struct Identity {
    /// The certificate, followed by its issuer's.
    pub chain: String,
    /// The private key, PKCS #8.
    pub key: String,
}

impl Authority {
    /// Makes a fresh authority.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub fn new() -> io::Result<Self> {
        let mut params = CertificateParams::default();
        set_validity(&mut params);
        params.distinguished_name = named("Sotto test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(io::Error::other)?;
        Ok(Self { issuer })
    }

    /// Its certificate, PEM: what `SSL_CERT_FILE` names.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Writes its certificate into `folder` and gives the file's name.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<PathBuf> {
        let path = folder.join("ca.crt");
        fs::write(&path, self.pem())?;
        Ok(path)
    }

    /// Vouches for a server with these DNS names.
    ///
    /// # Errors
    /// When a name is not a DNS name.
    pub fn issue(&self, names: &[&str]) -> io::Result<Identity> {
        let names: Vec<String> = names.iter().map(|&n| n.to_owned()).collect();
        let mut params = CertificateParams::new(names.clone()).map_err(io::Error::other)?;
        set_validity(&mut params);
        params.distinguished_name = named(names.first().map_or("", String::as_str));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let leaf = params
            .signed_by(&key, &self.issuer)
            .map_err(io::Error::other)?;
        Ok(Identity {
            chain: leaf.pem() + &self.pem(),
            key: key.serialize_pem(),
        })
    }
}

/// From the beginning of last year to that of the year after next. The generator's own default reaches to the
/// year 4096, which ejabberd's timers cannot hold.
fn set_validity(params: &mut CertificateParams) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let years = now.map_or(0, |d| d.as_secs() / (1461 * 86_400 / 4));
    let year = 1970 + i32::try_from(years).unwrap_or(0);
    params.not_before = date_time_ymd(year - 1, 1, 1);
    params.not_after = date_time_ymd(year + 2, 1, 1);
}

fn named(name: &str) -> DistinguishedName {
    let mut full = DistinguishedName::new();
    full.push(DnType::CommonName, name);
    full
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_gets_its_certificate_and_that_of_the_authority() {
        let authority = Authority::new().unwrap();
        let identity = authority.issue(&["a.test", "b.a.test"]).unwrap();
        assert_eq!(identity.chain.matches("BEGIN CERTIFICATE").count(), 2);
        assert!(identity.chain.ends_with(&authority.pem()));
        assert!(identity.key.contains("PRIVATE KEY"));
    }
}
