//! Sealed Secrets: the document, and the templates in it.

pub mod template;
