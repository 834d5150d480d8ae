//! Objects that were generated, in the order in which KRM functions print them.

use zeroize::Zeroizing;

use crate::format::{Format, emit_kept};
use crate::hooks::failure::Failure;
use crate::tree::{Entry, Scalar, Value};

/// An object as an item of a list.
pub(super) struct Object {
    /// What it is sorted by: version, kind, namespace and name.
    order: String,
    /// Its lines.
    pub(super) lines: Zeroizing<String>,
}

/// Brings objects of several texts into order. Those that share all that they are sorted by stay as they are.
pub(super) fn sorted(texts: Vec<Vec<Object>>) -> Vec<Object> {
    let mut objects: Vec<_> = texts.into_iter().flatten().collect();
    objects.sort_by(|a, b| a.order.cmp(&b.order));
    objects
}

/// Reads the objects of a YAML text.
pub(super) fn read(text: &[u8]) -> Result<Vec<Object>, Failure> {
    let no_manifest = |reason: String| {
        Failure::new("what it holds is no manifest")
            .because(reason)
            .hint(
                "`files` is for Kubernetes objects: to put a file into a Secret, use `secretFrom`",
            )
    };
    let text = str::from_utf8(text).map_err(|_| no_manifest("it is not UTF-8".to_owned()))?;
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let parsed = Format::Yaml
        .parse(text)
        .map_err(|e| no_manifest(e.to_string()))?;
    let documents = parsed.tree.documents.iter();
    documents
        .filter(|entries| !entries.is_empty())
        .map(|entries| {
            if of(entries, "kind").is_empty() {
                return Err(no_manifest("an object has no kind".to_owned()));
            }
            Object::new(entries, text)
        })
        .collect()
}

impl Object {
    /// An object with the form that its values have in a text.
    pub(super) fn new(entries: &[Entry], source: &str) -> Result<Self, Failure> {
        let metadata = map(entries, "metadata");
        let (kind, name) = (of(entries, "kind"), of(metadata, "name"));
        let (version, namespace) = (of(entries, "apiVersion"), of(metadata, "namespace"));
        let mut lines = Zeroizing::new(String::with_capacity(64 + 2 * length(entries)));
        lines.push_str("- ");
        emit_kept(entries, source, 2, true, &mut lines)
            .map_err(|e| Failure::new("an object has no form in a list").because(e))?;
        Ok(Self {
            order: format!("{version} {kind} {namespace} {name}"),
            lines,
        })
    }
}

/// How long a mapping is in its text.
fn length(entries: &[Entry]) -> usize {
    let mut pairs = entries.iter().filter_map(|entry| match entry {
        Entry::Pair(pair) => Some(pair),
        Entry::Comment(_) => None,
    });
    let first = pairs.next();
    let ends = first.zip(pairs.next_back().or(first));
    ends.map_or(0, |(first, last)| last.end.saturating_sub(first.at.start))
}

/// A text in a mapping, or the empty one.
fn of<'t>(entries: &'t [Entry], key: &str) -> &'t str {
    match value(entries, key) {
        Some(Value::Leaf(leaf)) => match &leaf.scalar {
            Scalar::Text(text) => text,
            _ => "",
        },
        _ => "",
    }
}

/// A mapping in a mapping, or the empty one.
pub(super) fn map<'t>(entries: &'t [Entry], key: &str) -> &'t [Entry] {
    match value(entries, key) {
        Some(Value::Map(entries)) => entries,
        _ => &[],
    }
}

/// What stands under a key.
pub(super) fn value<'t>(entries: &'t [Entry], key: &str) -> Option<&'t Value> {
    entries.iter().find_map(|entry| match entry {
        Entry::Pair(pair) if pair.key == key => Some(&pair.value),
        _ => None,
    })
}
