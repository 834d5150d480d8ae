//! Slash-separated paths, as Go's `path` and, on Unix, `path/filepath` treat them.

use super::super::signature::Type::String;
use super::super::value::Value;
use super::{Entry, fixed};

pub(super) const TABLE: &[Entry] = &[
    fixed("base", &[String], |_, arguments| {
        Ok(Value::text(base(arguments.text(0))))
    }),
    fixed("clean", &[String], |_, arguments| {
        Ok(Value::text(clean(arguments.text(0))))
    }),
    fixed("dir", &[String], |_, arguments| {
        Ok(Value::text(dir(arguments.text(0))))
    }),
    fixed("ext", &[String], |_, arguments| {
        Ok(Value::text(ext(arguments.text(0))))
    }),
    fixed("isAbs", &[String], |_, arguments| {
        Ok(Value::Bool(arguments.text(0).starts_with(b"/")))
    }),
    fixed("osBase", &[String], |_, arguments| {
        Ok(Value::text(base(arguments.text(0))))
    }),
    fixed("osClean", &[String], |_, arguments| {
        Ok(Value::text(clean(arguments.text(0))))
    }),
    fixed("osDir", &[String], |_, arguments| {
        Ok(Value::text(dir(arguments.text(0))))
    }),
    fixed("osExt", &[String], |_, arguments| {
        Ok(Value::text(ext(arguments.text(0))))
    }),
    fixed("osIsAbs", &[String], |_, arguments| {
        Ok(Value::Bool(arguments.text(0).starts_with(b"/")))
    }),
];

fn base(path: &[u8]) -> Vec<u8> {
    if path.is_empty() {
        return b".".to_vec();
    }
    let end = path
        .iter()
        .rposition(|&byte| byte != b'/')
        .map_or(0, |at| at + 1);
    let name = path[..end]
        .rsplit(|&byte| byte == b'/')
        .next()
        .unwrap_or_default();
    if name.is_empty() {
        b"/".to_vec()
    } else {
        name.to_vec()
    }
}

fn dir(path: &[u8]) -> Vec<u8> {
    let end = path
        .iter()
        .rposition(|&byte| byte == b'/')
        .map_or(0, |at| at + 1);
    clean(&path[..end])
}

fn ext(path: &[u8]) -> &[u8] {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    name.iter()
        .rposition(|&byte| byte == b'.')
        .map_or(b"", |at| &name[at..])
}

/// The shortest path of the same meaning.
fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => {
                parts.pop();
            }
            b".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}
