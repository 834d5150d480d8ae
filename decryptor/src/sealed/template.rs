//! Go `text/template` with the sprig functions that sealed-secrets 0.40.0 allows.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

/// Bounds.
#[derive(Clone, Debug, Default)]
pub struct Limits {}

/// Why a template does not parse or render.
#[derive(Debug, thiserror::Error)]
#[error("templates are not built yet")]
pub struct TemplateError;

/// A parsed template.
pub struct Template {}

impl Template {
    /// Parses.
    pub fn parse(_name: &str, _source: &str) -> Result<Self, TemplateError> {
        Err(TemplateError)
    }

    /// Whether it varies.
    pub fn is_deterministic(&self) -> bool {
        true
    }

    /// Renders.
    pub fn render(
        &self,
        _dot: &BTreeMap<String, Zeroizing<Vec<u8>>>,
        _limits: &Limits,
    ) -> Result<Zeroizing<Vec<u8>>, TemplateError> {
        Err(TemplateError)
    }
}
