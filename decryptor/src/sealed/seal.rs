//! From a Secret in clear to a SealedSecret, and new values into an old one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keys::scope::{CLUSTER_WIDE, NAMESPACE_WIDE};
use keys::{Scope, SealingCert};

use super::hint::{self, KeyHints};
use super::plain::PlainSecret;
use super::resource::{
    API_VERSION, KIND, Metadata, SealedSecret, SealedSecretSpec, SecretTemplate, TextMap,
};

/// Seals every value of a Secret so that it opens only where `scope` and the Secret's name and namespace say.
///
/// The scope's annotation is written on the SealedSecret and in its template, any other scope's is taken away.
/// Nothing else of the Secret's metadata goes to the SealedSecret's own.
pub fn seal(secret: &PlainSecret, cert: &SealingCert, scope: Scope) -> SealedSecret {
    let label = scope.label(&secret.namespace, &secret.name);
    let sealed =
        |value: &keys::Plaintext| STANDARD.encode(cert.seal(value.expose_secret(), &label));
    let encrypted_data = secret
        .data
        .iter()
        .map(|(key, value)| (key.clone(), sealed(value)))
        .collect();
    let mut annotations = secret.annotations.clone();
    set_scope(&mut annotations, scope);
    annotations.remove(hint::ANNOTATION);
    let mut outer = TextMap::new();
    set_scope(&mut outer, scope);
    outer.extend(
        KeyHints::all(cert.fingerprint())
            .to_text()
            .map(|text| (hint::ANNOTATION.to_owned(), text)),
    );
    let names = Metadata {
        name: secret.name.clone(),
        namespace: secret.namespace.clone(),
        ..Metadata::default()
    };
    SealedSecret {
        kind: KIND.to_owned(),
        api_version: API_VERSION.to_owned(),
        metadata: Metadata {
            annotations: outer,
            ..names.clone()
        },
        spec: SealedSecretSpec {
            template: SecretTemplate {
                metadata: Metadata {
                    labels: secret.labels.clone(),
                    annotations,
                    ..names
                },
                type_: secret.type_.clone(),
                immutable: secret.immutable,
                ..SecretTemplate::default()
            },
            data: None,
            encrypted_data,
        },
        status: None,
    }
}

/// Seals one value that stands for itself, as base64.
pub fn seal_raw(
    value: &[u8],
    cert: &SealingCert,
    scope: Scope,
    namespace: &str,
    name: &str,
) -> String {
    STANDARD.encode(cert.seal(value, &scope.label(namespace, name)))
}

/// Makes a map of annotations say one scope and no other.
pub fn set_scope(annotations: &mut TextMap, scope: Scope) {
    annotations.remove(NAMESPACE_WIDE);
    annotations.remove(CLUSTER_WIDE);
    annotations.extend(
        scope
            .annotation()
            .map(|name| (name.to_owned(), "true".to_owned())),
    );
}
