//! A certificate authority for one cluster.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

/// A private key and its certificate, both PEM.
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// The private key (PKCS#8).
    pub key: String,
}

/// A fresh authority; its private key stays in memory.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// Makes an authority called `name`.
    pub fn new(name: &str) -> Self {
        let mut params = params(name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        Self(CertifiedIssuer::self_signed(params, key_pair()).expect("the parameters are complete"))
    }

    /// The authority's certificate, PEM.
    pub fn certificate(&self) -> String {
        self.0.pem()
    }

    /// An identity for a server on 127.0.0.1, also called by `names`.
    pub fn server(&self, names: &[&str]) -> Identity {
        let names: Vec<String> = ["127.0.0.1", "localhost"]
            .iter()
            .chain(names)
            .map(|&name| name.to_owned())
            .collect();
        let mut params = CertificateParams::new(names).expect("host names are ASCII");
        params.distinguished_name.push(DnType::CommonName, "server");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&params)
    }

    /// An identity for a client: to Kubernetes, `name` is the user and `groups` are its groups.
    pub fn client(&self, name: &str, groups: &[&str]) -> Identity {
        let mut params = params(name, groups);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Identity {
        let pair = key_pair();
        let certificate = params
            .signed_by(&pair, &self.0)
            .expect("the parameters are complete");
        Identity {
            certificate: certificate.pem(),
            key: pair.serialize_pem(),
        }
    }
}

/// A key pair for signing tokens: the private and the public half, PEM.
pub fn token_keys() -> (String, String) {
    let pair = key_pair();
    (pair.serialize_pem(), pair.public_key_pem())
}

fn key_pair() -> KeyPair {
    KeyPair::generate().expect("P-256 keys can be generated")
}

fn params(name: &str, groups: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    for &group in groups {
        params
            .distinguished_name
            .push(DnType::OrganizationName, group);
    }
    params
}
