//! The list of resources that kustomize hands to a function and takes back.

use serde_json::Value;
use zeroize::Zeroizing;

use keys::Plaintext;

use super::generator::Generator;
use super::objects::{Object, map, value};
use crate::format::{Format, emit_kept};
use crate::hooks::failure::Failure;
use crate::manifest::{self, Document};
use crate::tree::{Entry, Item, Tree, Value as Node};

/// The list as it was read, in both ways: what Go makes of it, and how it is written.
pub(super) struct List<'t> {
    text: &'t str,
    document: Document,
    tree: Tree,
}

const HEAD: &str = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n";

impl<'t> List<'t> {
    /// Reads it.
    pub(super) fn read(text: &'t [u8]) -> Result<Self, Failure> {
        let failure = |reason: String| {
            Failure::new("standard input is no list of resources")
                .because(reason)
                .hint("kustomize hands one to functions; by hand, name a file with a generator's settings")
        };
        let mut documents = manifest::read_whole(text).map_err(|e| failure(e.to_string()))?;
        let text = str::from_utf8(text).map_err(|_| failure("it is not UTF-8".to_owned()))?;
        let document = documents.pop().filter(|_| documents.is_empty());
        let document = document.filter(|document| document.kind() == Some("ResourceList"));
        let document =
            document.ok_or_else(|| failure("it is not one object of that kind".to_owned()))?;
        let parsed = Format::Yaml
            .parse(text)
            .map_err(|e| failure(e.to_string()))?;
        Ok(Self {
            text,
            document,
            tree: parsed.tree,
        })
    }

    /// The generators in it: its settings, and the items of that kind.
    pub(super) fn generators(&self) -> Result<Vec<Generator>, Failure> {
        let items = self.items().iter().filter(|item| is_generator(item));
        let items: Vec<_> = items.filter(|item| !self.is_settings(item)).collect();
        // Other tools hand over settings that are not for this function, beside generators.
        let has = |settings: &Value, field| settings.get(field).is_some();
        let settings = self.settings().filter(|settings| {
            items.is_empty()
                || is_generator(settings)
                || has(settings, "files")
                || has(settings, "secretFrom")
        });
        let generators: Vec<_> = settings.into_iter().chain(items).collect();
        if generators.is_empty() {
            return Err(Failure::new("the list has no generator")
                .hint("it needs a `functionConfig`, or items of the kind `ksops`"));
        }
        generators.into_iter().map(Generator::read).collect()
    }

    /// The list with what was generated in place of the generators. All other items stay as they are.
    pub(super) fn write(&self, generated: &[Object]) -> Result<Plaintext, Failure> {
        let length = generated
            .iter()
            .map(|object| object.lines.len())
            .sum::<usize>();
        let mut out = Zeroizing::new(String::with_capacity(2 * self.text.len() + length + 1024));
        out.push_str(HEAD);
        let kept = self.kept()?;
        if !kept.is_empty() || !generated.is_empty() {
            out.push_str("items:\n");
        }
        for object in kept.iter().chain(generated) {
            out.push_str(&object.lines);
        }
        let settings = map(self.root(), "functionConfig");
        if !settings.is_empty() {
            out.push_str("functionConfig:\n");
            emit_kept(settings, self.text, 2, false, &mut out)
                .map_err(|e| Failure::new("functionConfig").because(e))?;
        }
        Ok(Plaintext::new(std::mem::take(&mut *out).into_bytes()))
    }

    /// The items that are no generators.
    fn kept(&self) -> Result<Vec<Object>, Failure> {
        let nodes: Vec<&Node> = match value(self.root(), "items") {
            Some(Node::List(items)) => items
                .iter()
                .filter_map(|item| match item {
                    Item::Value(value) => Some(value),
                    Item::Comment(_) => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        if nodes.len() != self.items().len() {
            return Err(Failure::new("the items of the list cannot be told apart"));
        }
        let others = nodes.into_iter().zip(self.items());
        let others = others.filter(|(_, item)| !is_generator(item) && !self.is_settings(item));
        others
            .map(|(node, _)| match node {
                Node::Map(entries) => Object::new(entries, self.text),
                _ => Err(Failure::new("an item of the list is no object")),
            })
            .collect()
    }

    fn root(&self) -> &[Entry] {
        self.tree.documents.first().map_or(&[], Vec::as_slice)
    }

    fn settings(&self) -> Option<&Value> {
        let settings = self.document.value().get("functionConfig");
        settings.filter(|settings| !settings.is_null())
    }

    fn items(&self) -> &[Value] {
        let items = self.document.value().get("items");
        items.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Whether an item is the function's own settings once more, as kustomize hands them to generators.
    fn is_settings(&self, item: &Value) -> bool {
        let same = |pointer: &str| {
            let settings = self
                .settings()
                .and_then(|settings| settings.pointer(pointer));
            item.pointer(pointer) == settings
        };
        let identity = [
            "/apiVersion",
            "/kind",
            "/metadata/name",
            "/metadata/namespace",
        ];
        self.settings().is_some() && identity.into_iter().all(same)
    }
}

fn is_generator(item: &Value) -> bool {
    item.get("kind").and_then(Value::as_str) == Some("ksops")
}
