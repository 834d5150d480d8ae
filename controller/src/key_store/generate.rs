//! Making a sealing key and storing it, exactly as the original does, so that either can take over.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use keys::sealing::{CertError, NewKey};
use kube::ResourceExt;
use kube::api::PostParams;
use tracing::{info, warn};

use super::{ACTIVE, KEY_LABEL, KeyStore, Settings, Source};

/// Why there is no new sealing key.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// It could not be made.
    #[error("a new sealing key could not be made")]
    Make(#[source] CertError),
    /// It was given up: the process is ending, or another one leads by now.
    #[error("making a new sealing key was given up")]
    Interrupted,
    /// It could not be stored.
    #[error("a new sealing key could not be stored")]
    Store(#[source] kube::Error),
}

impl KeyStore {
    /// Makes a new key, stores it, and from then on uses it.
    ///
    /// Making it takes seconds; it is stored only if `may_store` still says so then.
    pub async fn generate(&self, may_store: impl Fn() -> bool) -> Result<(), GenerateError> {
        let Settings {
            size,
            lifetime,
            common_name,
            namespace,
            ..
        } = self.settings.clone();
        let make = move || NewKey::generate(size, &common_name, Timestamp::now(), lifetime);
        let new = tokio::task::spawn_blocking(make)
            .await
            .map_err(|_| GenerateError::Interrupted)?
            .map_err(GenerateError::Make)?;
        if !may_store() {
            return Err(GenerateError::Interrupted);
        }
        let secret = to_secret(&new, &self.settings);
        let stored = self.api.create(&PostParams::default(), &secret).await;
        let stored = stored.map_err(GenerateError::Store)?;
        info!(namespace, name = stored.name_any(), "New key written");
        self.apply(Source::Label, stored);
        info!(certificate = new.cert_pem, "Certificate generated");
        Ok(())
    }
}

fn to_secret(new: &NewKey, settings: &Settings) -> Secret {
    let mut labels: BTreeMap<String, String> = settings.labels.0.iter().cloned().collect();
    if labels
        .insert(KEY_LABEL.to_owned(), ACTIVE.to_owned())
        .is_some()
    {
        warn!(
            label = KEY_LABEL,
            "--privatekey-labels cannot change this label"
        );
    }
    let annotations: BTreeMap<_, _> = settings.annotations.0.iter().cloned().collect();
    let data = [
        ("tls.key", new.key_pem.as_bytes()),
        ("tls.crt", new.cert_pem.as_bytes()),
    ];
    let data = data.map(|(name, bytes)| (name.to_owned(), ByteString(bytes.to_vec())));
    Secret {
        metadata: ObjectMeta {
            generate_name: Some(settings.prefix.clone()),
            namespace: Some(settings.namespace.clone()),
            labels: Some(labels),
            annotations: (!annotations.is_empty()).then_some(annotations),
            ..ObjectMeta::default()
        },
        type_: Some("kubernetes.io/tls".to_owned()),
        data: Some(data.into()),
        ..Secret::default()
    }
}
