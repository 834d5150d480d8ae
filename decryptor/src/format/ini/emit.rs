//! Writes INI as SOPS does: values aligned, an empty line between sections.

use super::read::key_name;
use super::value::written;
use crate::format::emit::{EmitError, Out};
use crate::sops::value::in_words;
use crate::tree::{Entry, Pair, Value};

/// Writes sections. Comments between them have no place.
pub(in crate::format) fn emit(entries: &[Entry], out: &mut Out) -> Result<(), EmitError> {
    let mut is_first = true;
    for entry in entries {
        let Entry::Pair(pair) = entry else {
            continue;
        };
        let Value::Map(keys) = &pair.value else {
            return Err(EmitError::new(
                &pair.key,
                "INI holds sections of keys and values only",
            ));
        };
        let is_default = is_first && pair.key == "DEFAULT";
        if is_default && keys.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        section(pair, keys, is_default, out)?;
        is_first = false;
    }
    Ok(())
}

/// Writes a key and its value.
pub(in crate::format) fn emit_key(pair: &Pair, out: &mut Out) -> Result<(), EmitError> {
    out.push_str(&format!("{} = {}\n", name(pair)?, value(pair)?));
    Ok(())
}

fn section(pair: &Pair, keys: &[Entry], is_default: bool, out: &mut Out) -> Result<(), EmitError> {
    let mut rest = keys;
    if let Some((Entry::Comment(comment), after)) = keys.split_first() {
        push_comment(&comment.text, true, out);
        rest = after;
    }
    if !is_default {
        if pair.key.is_empty() || pair.key.contains([']', '\n']) {
            return Err(EmitError::new(
                &pair.key,
                "INI cannot hold the section's name",
            ));
        }
        out.push_str(&format!("[{}]\n", pair.key));
    }
    let names = rest.iter().filter_map(|entry| match entry {
        Entry::Pair(pair) => Some(pair),
        Entry::Comment(_) => None,
    });
    let names: Result<Vec<String>, EmitError> = names.map(name).collect();
    let mut names = names?.into_iter();
    let width = names.as_slice().iter().map(String::len).max().unwrap_or(0);
    for (at, entry) in rest.iter().enumerate() {
        let (Entry::Pair(pair), Some(name)) = (entry, names.as_slice().first().cloned()) else {
            continue;
        };
        names.next();
        // The comments of a key stand behind it in the tree.
        for entry in &rest[at + 1..] {
            let Entry::Comment(comment) = entry else {
                break;
            };
            push_comment(&comment.text, false, out);
        }
        let value = value(pair)?;
        out.push_str(&format!("{name:width$} = {value}\n"));
    }
    Ok(())
}

/// Each line with a mark; the library trims what it does not know as a section's.
fn push_comment(text: &str, is_section: bool, out: &mut Out) {
    for line in text.split('\n') {
        let rest = line.strip_prefix([';', '#']);
        match rest {
            Some(rest) => {
                out.push_str(&line[..1]);
                out.push(' ');
                out.push_str(rest.trim());
            }
            None if is_section => {
                out.push_str("; ");
                out.push_str(line);
            }
            None => {
                out.push_str("; ");
                out.push_str(line.trim());
            }
        }
        out.push('\n');
    }
}

fn name(pair: &Pair) -> Result<String, EmitError> {
    let key = &pair.key;
    let quoted = if key.contains(['"', '=', ':']) {
        format!("`{key}`")
    } else if key.contains('`') {
        format!("\"\"\"{key}\"\"\"")
    } else {
        key.clone()
    };
    let begins_other =
        quoted.is_empty() || quoted.starts_with(['[', '#', ';']) || quoted.contains('\n');
    let line = format!("{quoted} = x");
    let comes_back =
        !begins_other && key_name(&line).is_ok_and(|(read, _)| read == key) && key != "-";
    match comes_back {
        true => Ok(quoted),
        false => Err(EmitError::new(key, "INI cannot hold the key")),
    }
}

fn value(pair: &Pair) -> Result<String, EmitError> {
    let wrong = |reason| EmitError::new(&pair.key, reason);
    let Value::Leaf(leaf) = &pair.value else {
        return Err(wrong("INI holds sections of keys and values only"));
    };
    let text =
        in_words(&leaf.scalar).ok_or_else(|| wrong("the value is no text: INI cannot hold it"))?;
    written(&text).ok_or_else(|| wrong("INI cannot hold the value"))
}
