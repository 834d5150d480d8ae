//! What the real KSOPS 4.5.1 made, in tests/vectors/ksops: ours makes the same.

use super::*;

/// What each failure of KSOPS is in our words.
const FAILURES: [(&str, &str); 3] = [
    (
        "missing-file",
        "error: nowhere.enc.yaml: no such file or directory",
    ),
    ("plain-file", "error: p.enc.yaml: sops metadata not found"),
    ("tampered", "error: t.enc.yaml: MAC mismatch"),
];

#[test]
fn it_makes_what_ksops_made() {
    let desk = Desk::without_key();
    let vectors = ours::workspace().join("tests/vectors/ksops");
    let key = vectors.join("keys.txt");
    let mut count = 0;
    for folder in fs::read_dir(&vectors).expect("the vectors") {
        let folder = folder.expect("one").path();
        if !folder.is_dir() {
            continue;
        }
        let name = folder
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let read = |file: &str| fs::read_to_string(folder.join(file)).ok();
        let rendered = desk.kustomize(&folder, &key).output();
        let list = read("in.rl.yaml").expect("a list");
        let ksops = desk.ready(cli::run(desk.path("bin/ksops")), &key);
        let answered = ksops.folder(&folder).stdin(list).output();
        for (output, code, text) in [
            (rendered, "want.rc", "want.yaml"),
            (answered, "want.rl.rc", "want.rl.yaml"),
        ] {
            let code = read(code).expect("an exit code");
            assert_eq!(
                output.code().to_string(),
                code.trim(),
                "{name}: {}",
                output.stderr
            );
            match FAILURES.iter().find(|(failing, _)| *failing == name) {
                None => {
                    assert_eq!(
                        output.text(),
                        read(text).expect("a result"),
                        "{name}: {text}"
                    );
                    assert_eq!(output.stderr, "", "{name}");
                }
                Some((_, words)) => refused(&output, words),
            }
        }
        count += 1;
    }
    assert_eq!(count, 11);
}
