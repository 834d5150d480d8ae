//! Anchored values of a document, and how much their aliases may repeat.

use std::collections::HashMap;

use serde_json::Value;

use super::Refusal;
use crate::manifest::MAX_DEPTH;
use crate::manifest::wipe::Wiped;

/// How much all aliases of a document may add up to: bytes of text, and 64 for each node.
const MAX_REPEATED: usize = 4 << 20;

/// What has been anchored so far in a document.
#[derive(Default)]
pub(super) struct Anchors {
    complete: HashMap<usize, Anchored>,
    repeated: usize,
}

struct Anchored {
    value: Wiped,
    size: usize,
    depth: usize,
}

impl Anchors {
    /// Keeps a copy of an anchored value. Anchor 0 is no anchor.
    pub(super) fn keep(&mut self, anchor: usize, value: &Value) -> Result<(), Refusal> {
        if anchor == 0 {
            return Ok(());
        }
        let (size, depth) = measure(value);
        self.spend(size)?;
        let value = Wiped(value.clone());
        self.complete
            .insert(anchor, Anchored { value, size, depth });
        Ok(())
    }

    /// A copy of what an alias stands for, when it is `depth` levels deep in the document.
    pub(super) fn copy(&mut self, anchor: usize, depth: usize) -> Result<Wiped, Refusal> {
        let Some(anchored) = self.complete.get(&anchor) else {
            return Err(
                "an alias has no anchor before it in this document, or stands inside it".to_owned(),
            );
        };
        let (size, levels) = (anchored.size, anchored.depth);
        if depth + levels > MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH} levels"));
        }
        self.spend(size)?;
        Ok(Wiped(self.complete[&anchor].value.0.clone()))
    }

    fn spend(&mut self, size: usize) -> Result<(), Refusal> {
        self.repeated += size;
        if self.repeated > MAX_REPEATED {
            return Err("aliases repeat too much".to_owned());
        }
        Ok(())
    }
}

/// Size and depth of a value; its depth is limited where it was built.
fn measure(value: &Value) -> (usize, usize) {
    let (mut size, mut depth) = (64, 0);
    let mut add = |inner: &Value, key: usize| {
        let (inner_size, inner_depth) = measure(inner);
        size += inner_size + key;
        depth = depth.max(inner_depth);
    };
    match value {
        Value::String(text) => return (64 + text.len(), 0),
        Value::Array(items) => items.iter().for_each(|item| add(item, 0)),
        Value::Object(map) => map.iter().for_each(|(key, value)| add(value, key.len())),
        Value::Null | Value::Bool(_) | Value::Number(_) => return (64, 0),
    }
    (size, depth + 1)
}
