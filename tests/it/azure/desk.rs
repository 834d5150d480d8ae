//! A desk whose programs are told of a vault of Azure, and have an `az`.

use std::fs;
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::PermissionsExt;

use testkit::azure::{Azure, LOGIN, TOKEN};
use testkit::cli::Output;
pub(super) use testkit::desk::{TEXT, unwrapped};

pub(super) struct Desk(testkit::desk::Desk);

impl Desk {
    /// Whoever trusts a vault's authority and its address, and has these variables.
    pub(super) fn with(vault: &Azure, variables: &[(&'static str, &str)]) -> Self {
        let own = [
            ("SOPS_AZURE_KEYVAULT_ALLOWLIST", vault.stub.address.as_str()),
            ("AZURE_AUTHORITY_HOST", LOGIN),
        ];
        let mut desk = testkit::desk::Desk::with(&[&own, variables].concat());
        desk.write("authority.pem", &vault.authority);
        let authority = desk.path("authority.pem").to_string_lossy().into_owned();
        desk.variables.insert(0, ("SSL_CERT_FILE", authority));
        Self(desk)
    }

    /// Whoever has logged in with `az`.
    pub(super) fn new(vault: &Azure) -> Self {
        let mut desk = Self::with(vault, &[("AZURE_TOKEN_CREDENTIALS", "AzureCLICredential")]);
        desk.az(&format!(
            "echo '{{\"accessToken\": \"{TOKEN}\", \"expires_on\": 4102444800, \"expiresOn\": \"2100-01-01 00:00:00.000000\"}}'"
        ));
        let path = std::env::var("PATH").expect("it is set");
        let path = format!("{}:{path}", desk.path("bin").display());
        desk.variables.push(("PATH", path));
        desk
    }

    /// Puts an `az` there that keeps what it was called with.
    pub(super) fn az(&self, script: &str) {
        let kept = self.path("az.log").to_string_lossy().into_owned();
        let text = format!("#!/bin/sh\necho \"$@\" >> '{kept}'\n{script}\n");
        self.write("bin/az", &text);
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.path("bin/az"), executable).expect("set");
    }

    /// Encrypts the document, by ours.
    pub(super) fn encrypt(&self, key: &str) -> Output {
        self.ours(&["encrypt", "-i", "--azure-kv", key, "a.yaml"])
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
