//! The block of `.gitattributes` that is ours: which files the drivers are for.

/// The name of both drivers.
pub(super) const DRIVER: &str = "kubeseal";

const BEGIN: &str = "# kubeseal git setup: begin";
const END: &str = "# kubeseal git setup: end";

/// A file with a block that begins and never ends, or the other way round.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// The pattern for one path, as seen from the folder of `.gitattributes`; nothing in it is special.
pub(super) fn pattern_of(path: &str) -> String {
    let mut pattern = String::from("/");
    for c in path.chars() {
        if matches!(c, '*' | '?' | '[' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

/// The text with these patterns in its block, behind those that are there. Returns the new ones too.
pub(super) fn with(text: &str, patterns: &[String]) -> Result<(String, Vec<String>), Broken> {
    let (before, block, after) = split(text)?;
    let mut lines: Vec<String> = block.iter().map(|line| (*line).to_owned()).collect();
    let mut new = Vec::new();
    for pattern in patterns {
        let line = format!("{} diff={DRIVER} merge={DRIVER}", quoted(pattern));
        if !lines.contains(&line) {
            lines.push(line);
            new.push(pattern.clone());
        }
    }
    if lines.is_empty() {
        return Ok((text.to_owned(), new));
    }
    let gap = match before.is_empty() || before.ends_with('\n') {
        true => "",
        false => "\n",
    };
    let lines = lines.join("\n");
    Ok((
        format!("{before}{gap}{BEGIN}\n{lines}\n{END}\n{after}"),
        new,
    ))
}

/// The text without our block.
pub(super) fn without(text: &str) -> Result<String, Broken> {
    let (before, _, after) = split(text)?;
    Ok(format!("{before}{after}"))
}

/// What stands before the block, its lines, and what stands behind it.
fn split(text: &str) -> Result<(&str, Vec<&str>, &str), Broken> {
    let at = |mark: &str| {
        let mut start = 0;
        text.split_inclusive('\n').find_map(|line| {
            let range = start..start + line.len();
            start = range.end;
            (line.trim_end() == mark).then_some(range)
        })
    };
    match (at(BEGIN), at(END)) {
        (None, None) => Ok((text, Vec::new(), "")),
        (Some(begin), Some(end)) if begin.end <= end.start => {
            let lines = text[begin.end..end.start].lines();
            let lines = lines.filter(|line| !line.trim().is_empty()).collect();
            Ok((&text[..begin.start], lines, &text[end.end..]))
        }
        _ => Err(Broken),
    }
}

/// A pattern as `.gitattributes` has it: in double quotes, as C has them, where it would end too early.
fn quoted(pattern: &str) -> String {
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '"';
    if pattern.chars().all(is_plain) {
        return pattern.to_owned();
    }
    let mut text = String::from("\"");
    for c in pattern.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            c if c.is_control() => text.push_str(&format!("\\{:03o}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn patterns_come_into_a_block_once_and_go_with_it() {
        let before = "*.png binary";
        let (first, new) = with(before, &patterns(&["/a.yaml"])).expect("no block yet");
        assert_eq!(
            first,
            format!("*.png binary\n{BEGIN}\n/a.yaml diff=kubeseal merge=kubeseal\n{END}\n")
        );
        assert_eq!(new, ["/a.yaml"]);
        let (second, new) = with(&first, &patterns(&["/a.yaml", "*.enc.json"])).expect("a block");
        assert_eq!(new, ["*.enc.json"]);
        assert_eq!(
            with(&second, &[]).expect("a block"),
            (second.clone(), vec![])
        );
        assert_eq!(without(&second), Ok("*.png binary\n".to_owned()));
        assert_eq!(with("", &[]), Ok((String::new(), vec![])));
        assert_eq!(with(&format!("{BEGIN}\n"), &[]), Err(Broken));
        assert_eq!(without(&format!("{END}\n{BEGIN}\n")), Err(Broken));
    }

    #[test]
    fn paths_are_patterns_for_themselves_only() {
        for (path, line) in [
            ("a/b.yaml", "/a/b.yaml"),
            ("#a", "/#a"),
            ("[a]*?.yaml", "/\\[a]\\*\\?.yaml"),
            ("a b.yaml", "\"/a b.yaml\""),
            ("a \\\"b", "\"/a \\\\\\\\\\\"b\""),
        ] {
            assert_eq!(quoted(&pattern_of(path)), line, "{path}");
        }
    }
}
