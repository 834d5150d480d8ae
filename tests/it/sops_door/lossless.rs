//! Files such as people have (`tests/vectors/lossless`): they come back byte for byte, sops reads their values, and one
//! change is one line.

use super::*;

fn sources() -> Vec<(String, String)> {
    let folder = ours::workspace().join("tests/vectors/lossless");
    let files = fs::read_dir(folder).expect("the files are there");
    let mut files: Vec<_> = files
        .map(|file| {
            let path = file.expect("it is listed").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            (name.into_owned(), fs::read_to_string(&path).expect("text"))
        })
        .collect();
    files.sort();
    assert!(files.len() > 25, "{}", files.len());
    files
}

#[test]
fn files_as_people_have_them_come_back_byte_for_byte() {
    let desk = Desk::new();
    let to_json = ["decrypt", "--output-type", "json"];
    for (name, text) in sources() {
        desk.write(&name, &text);
        desk.encrypt(Whose::Ours, &name);
        let encrypted = desk.read(&name);
        let back = desk.sops(Whose::Ours, &["decrypt", &name]).output();
        assert_eq!(back.text(), text, "{name}\n{}\n{encrypted}", back.stderr);
        let values = desk.sops(Whose::Theirs, &[&to_json[..], &[&name]].concat());
        let values: Value = serde_json::from_str(&values.ok()).expect("JSON");
        desk.write(&name, &text);
        desk.encrypt(Whose::Theirs, &name);
        let expected = desk.sops(Whose::Theirs, &[&to_json[..], &[&name]].concat());
        let expected: Value = serde_json::from_str(&expected.ok()).expect("JSON");
        assert_eq!(values, expected, "{name}");
    }
}

/// The first line of which a value is encrypted that can be replaced: all lines before it are those of the source.
fn first_value(encrypted: &str) -> Option<usize> {
    let is_comment = |line: &str| line.trim_start().starts_with('#');
    let mut lines = encrypted.lines().enumerate();
    let (number, line) = lines.find(|(_, line)| line.contains("ENC[") && !is_comment(line))?;
    let behind = line.split_once(": ")?.1;
    let is_alone = behind.trim_start_matches(['"', '\'']).starts_with("ENC[")
        && !behind.trim_end().ends_with([',', '}'])
        && !line.starts_with('{');
    is_alone.then_some(number)
}

#[test]
fn one_changed_value_is_one_changed_line() {
    let desk = Desk::new();
    let mut tried = 0;
    for (name, text) in sources() {
        desk.write(&name, &text);
        desk.encrypt(Whose::Ours, &name);
        let before = desk.read(&name);
        let Some(number) = first_value(&before) else {
            continue;
        };
        let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
        let end = if lines[number].ends_with('\r') {
            "\r"
        } else {
            ""
        };
        let key = lines[number].split_once(": ").expect("a key").0;
        lines[number] = format!("{key}: changed{end}");
        desk.write("plain.yaml", &lines.join("\n"));
        desk.kubeseal(&[
            "encrypt",
            "--update",
            &name,
            "--output",
            "after",
            "plain.yaml",
        ])
        .ok();
        let after = desk.read("after");
        let changed: Vec<_> = before
            .lines()
            .zip(after.lines())
            .enumerate()
            .filter(|(_, (before, after))| before != after)
            .map(|(number, (before, _))| (number, before.trim().split(':').next().unwrap_or("")))
            .filter(|(_, field)| !["mac", "lastmodified", "written"].contains(field))
            .map(|(number, _)| number)
            .collect();
        assert_eq!(changed, [number], "{name}\n{before}\n{after}");
        tried += 1;
    }
    assert!(tried > 15, "{tried}");
}
