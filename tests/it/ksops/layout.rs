//! What is put into Secrets is byte for byte what `sops decrypt` prints: hashes in names stay when people move over.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use decryptor::format::Format;
use proptest::strategy::{Strategy, ValueTree};

use super::*;
use crate::sops_crossings::{documents_of, runner};

#[test]
fn files_hold_what_sops_decrypt_prints() {
    let desk = Desk::new();
    let mut runner = runner(1);
    let mut files = Vec::new();
    for (format, ending, count) in [
        (Format::Yaml, "yaml", 20),
        (Format::Json, "json", 10),
        (Format::Dotenv, "env", 10),
        (Format::Ini, "ini", 10),
        (Format::Binary, "bin", 6),
    ] {
        let documents = documents_of(format);
        for at in 0..count {
            let text = documents
                .new_tree(&mut runner)
                .expect("a document")
                .current();
            let name = format!("{at}.{ending}");
            desk.write(&format!("app/{name}"), text);
            let args = ["encrypt", "-i", "--age", &desk.recipient, &name];
            let sops = || cli::run(peer::SOPS.path()).folder(desk.path("app"));
            // It refuses some documents.
            if sops().args(args).output().code() == 0 {
                let key = desk.path("key.txt");
                let shown = sops()
                    .env("SOPS_AGE_KEY_FILE", key)
                    .args(["decrypt", &name])
                    .output();
                assert_eq!(shown.code(), 0, "{name}: {}", shown.stderr);
                files.push((name, shown.stdout));
            }
        }
    }
    assert!(files.len() > 40, "{}", files.len());
    let names: String = files
        .iter()
        .map(|(name, _)| format!("    - {name}\n"))
        .collect();
    let list =
        format!("kind: ResourceList\nfunctionConfig:\n  secretFrom:\n  - binaryFiles:\n{names}");
    let list = desk.ksops(&[]).stdin(list).ok();
    let made = decryptor::manifest::read(list.as_bytes()).expect("a list");
    let [secret] = made.as_slice() else {
        panic!("{list}")
    };
    let (mut differing, mut poorer) = (Vec::new(), 0);
    for (name, expected) in files {
        let data = secret.value()["data"][&name].as_str().expect("a value");
        let data = BASE64_STANDARD.decode(data).expect("base64");
        if data != expected {
            let [ours, theirs] = [&data, &expected].map(|bytes| String::from_utf8_lossy(bytes));
            // sops loses comments, where many stand before a list.
            if without_comments(&ours) == without_comments(&theirs) && ours.len() > theirs.len() {
                poorer += 1;
                continue;
            }
            differing.push(format!("{name}\nours: {ours:?}\nsops: {theirs:?}"));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert!(poorer < 3, "{poorer}");
}

fn without_comments(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    lines.map(|line| format!("{line}\n")).collect()
}
