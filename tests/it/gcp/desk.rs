//! A desk whose programs are told of Google's cloud.

use std::ops::{Deref, DerefMut};

use testkit::cli::Output;
pub(super) use testkit::desk::{TEXT, unwrapped};
use testkit::gcp::Gcp;

pub(super) struct Desk(testkit::desk::Desk);

impl Desk {
    /// With nothing but variables.
    pub(super) fn bare(variables: &[(&'static str, &str)]) -> Self {
        Self(testkit::desk::Desk::with(variables))
    }

    /// With a server's address and more variables.
    pub(super) fn with(cloud: &Gcp, variables: &[(&'static str, &str)]) -> Self {
        let place = [
            ("SOPS_GCP_KMS_ENDPOINT", cloud.stub.address.as_str()),
            // The original speaks gRPC without it.
            ("SOPS_GCP_KMS_CLIENT_TYPE", "rest"),
        ];
        Self::bare(&[&place, variables].concat())
    }

    /// With a server's address and a token.
    pub(super) fn new(cloud: &Gcp, token: &str) -> Self {
        Self::with(cloud, &[("GOOGLE_OAUTH_ACCESS_TOKEN", token)])
    }

    /// Encrypts the document, by ours.
    pub(super) fn encrypt(&self, key: &str) -> Output {
        self.ours(&["encrypt", "-i", "--gcp-kms", key, "a.yaml"])
            .output()
    }
}

impl Deref for Desk {
    type Target = testkit::desk::Desk;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Desk {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}
