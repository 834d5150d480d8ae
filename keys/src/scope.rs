//! How far a sealed value may travel, and the label that binds it there.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The annotation that makes a SealedSecret usable under any name in its namespace.
pub const NAMESPACE_WIDE: &str = "sealedsecrets.bitnami.com/namespace-wide";
/// The annotation that makes a SealedSecret usable under any name in any namespace.
pub const CLUSTER_WIDE: &str = "sealedsecrets.bitnami.com/cluster-wide";

/// Where a sealed value can be opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Only under the name and namespace it was sealed for.
    #[default]
    Strict,
    /// Under any name in the namespace it was sealed for.
    NamespaceWide,
    /// Anywhere in the cluster.
    ClusterWide,
}

impl Scope {
    /// Reads the scope from a SealedSecret's own annotations: only the exact text `true` counts, the wider one wins.
    ///
    /// Never hand it the template's annotations: they are not authenticated (CVE-2026-22728).
    pub fn of_annotations(annotations: &BTreeMap<String, String>) -> Self {
        let is_set = |name| annotations.get(name).is_some_and(|value| value == "true");
        if is_set(CLUSTER_WIDE) {
            Self::ClusterWide
        } else if is_set(NAMESPACE_WIDE) {
            Self::NamespaceWide
        } else {
            Self::Strict
        }
    }

    /// The annotation that says this scope. Returns `None` for the strict scope, which has none.
    pub fn annotation(self) -> Option<&'static str> {
        match self {
            Self::Strict => None,
            Self::NamespaceWide => Some(NAMESPACE_WIDE),
            Self::ClusterWide => Some(CLUSTER_WIDE),
        }
    }

    /// The RSA-OAEP label of a value in this scope.
    pub fn label(self, namespace: &str, name: &str) -> Label {
        Label(match self {
            Self::Strict => format!("{namespace}/{name}").into_bytes(),
            Self::NamespaceWide => namespace.as_bytes().to_vec(),
            Self::ClusterWide => Vec::new(),
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Strict => "strict",
            Self::NamespaceWide => "namespace-wide",
            Self::ClusterWide => "cluster-wide",
        })
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    /// Reads `strict`, `namespace-wide` or `cluster-wide`; the empty text is `strict`, as for the original.
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        match text {
            "" | "strict" => Ok(Self::Strict),
            "namespace-wide" => Ok(Self::NamespaceWide),
            "cluster-wide" => Ok(Self::ClusterWide),
            _ => Err(UnknownScope(text.to_owned())),
        }
    }
}

/// A scope that does not exist.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of: strict, namespace-wide, cluster-wide, not {0:?}")]
pub struct UnknownScope(String);

/// The RSA-OAEP label (RFC 8017 §7.1) of a sealed value: where it may be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label(Vec<u8>);

impl Label {
    /// The label's bytes; empty for the cluster-wide scope.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_read_back_what_they_print() {
        for scope in [Scope::Strict, Scope::NamespaceWide, Scope::ClusterWide] {
            assert_eq!(scope.to_string().parse(), Ok(scope));
        }
        assert_eq!("".parse(), Ok(Scope::Strict));
        assert!("Strict".parse::<Scope>().is_err());
    }

    #[test]
    fn labels_bind_to_what_the_scope_says() {
        let label = |scope: Scope| scope.label("ns", "name").as_bytes().to_vec();
        assert_eq!(label(Scope::Strict), b"ns/name");
        assert_eq!(label(Scope::NamespaceWide), b"ns");
        assert_eq!(label(Scope::ClusterWide), b"");
    }

    #[test]
    fn only_the_exact_text_true_widens_and_the_wider_wins() {
        let scope = |pairs: &[(&str, &str)]| {
            Scope::of_annotations(
                &pairs
                    .iter()
                    .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                    .collect(),
            )
        };
        assert_eq!(scope(&[]), Scope::Strict);
        assert_eq!(scope(&[(NAMESPACE_WIDE, "true")]), Scope::NamespaceWide);
        assert_eq!(scope(&[(NAMESPACE_WIDE, "True")]), Scope::Strict);
        assert_eq!(
            scope(&[(CLUSTER_WIDE, "false"), (NAMESPACE_WIDE, "true")]),
            Scope::NamespaceWide
        );
        assert_eq!(
            scope(&[(CLUSTER_WIDE, "true"), (NAMESPACE_WIDE, "true")]),
            Scope::ClusterWide
        );
    }
}
