//! Paths of the Kubernetes API that tests use most.

/// The namespace itself.
pub fn namespace(name: &str) -> String {
    format!("/api/v1/namespaces/{name}")
}

/// The collection `kind` (plural) of the core API in a namespace: `core("ns", "configmaps")`.
pub fn core(namespace: &str, kind: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/{kind}")
}

/// The Secrets of a namespace.
pub fn secrets(namespace: &str) -> String {
    core(namespace, "secrets")
}

/// One Secret.
pub fn secret(namespace: &str, name: &str) -> String {
    format!("{}/{name}", secrets(namespace))
}

/// The SealedSecrets of a namespace.
pub fn sealed_secrets(namespace: &str) -> String {
    format!("/apis/bitnami.com/v1alpha1/namespaces/{namespace}/sealedsecrets")
}

/// One SealedSecret.
pub fn sealed_secret(namespace: &str, name: &str) -> String {
    format!("{}/{name}", sealed_secrets(namespace))
}

/// The collection `kind` (plural) of the RBAC API: of a namespace, or cluster-wide for `None`.
pub fn rbac(namespace: Option<&str>, kind: &str) -> String {
    match namespace {
        Some(namespace) => {
            format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/{kind}")
        }
        None => format!("/apis/rbac.authorization.k8s.io/v1/{kind}"),
    }
}
