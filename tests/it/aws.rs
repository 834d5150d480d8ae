//! Keys in AWS KMS: both programs open what the other one closed.

use testkit::aws;

mod counted;
mod desk;
mod identities;
mod keys;
mod refusals;
mod stub_of_kms;
mod trouble;

use desk::{BOTH, Desk, TEXT, Whose};

/// A document of each format.
const FORMATS: [(&str, &str); 5] = [
    ("a.yaml", TEXT),
    ("a.json", "{\"password\": \"hunter2\"}"),
    ("a.env", "password=hunter2\n"),
    ("a.ini", "[db]\npassword = hunter2\n"),
    ("a.txt", "password hunter2\n"),
];

#[test]
fn both_programs_open_what_the_other_one_closed() {
    let aws = aws::shared();
    let desk = Desk::new(aws);
    let key = aws.key();
    for (name, text) in FORMATS {
        for closes in BOTH {
            // Of two formats, each program closes one without a context and one with.
            let with_context = (name.len() % 2 == 0) == (closes == Whose::Ours);
            let context = with_context.then_some("team:shop,stage:pre prod");
            desk.write(name, text);
            let mut args = vec!["encrypt", "-i", "--kms", &key];
            args.extend(
                context
                    .iter()
                    .flat_map(|pairs| ["--encryption-context", pairs]),
            );
            args.push(name);
            desk.sops(closes, &args).ok();
            let closed = desk.read(name);
            assert!(
                closed.contains(&key) && !closed.contains("hunter2"),
                "{closed}"
            );
            assert_eq!(closed.contains("pre prod"), context.is_some(), "{closed}");
            let opened = BOTH.map(|opens| desk.sops(opens, &["decrypt", name]).ok());
            assert!(opened[0].contains("hunter2"));
            // Each has a layout of its own for JSON.
            let squeezed = opened.map(|text| text.replace(char::is_whitespace, ""));
            assert_eq!(squeezed[0], squeezed[1], "{name} {closes:?}");
            // A change keeps the key and its context, and a rotation asks for it again.
            desk.sops(Whose::Ours, &["rotate", "-i", name]).ok();
            assert_ne!(desk.read(name), closed);
            let opened = desk.sops(Whose::Theirs, &["decrypt", name]).ok();
            assert!(opened.contains("hunter2"));
            desk.sops(Whose::Theirs, &["rotate", "-i", name]).ok();
            let opened = desk.sops(Whose::Ours, &["decrypt", name]).ok();
            assert!(opened.contains("hunter2"));
        }
    }
}

#[test]
fn what_is_written_of_a_key_is_what_sops_writes() {
    let aws = aws::shared();
    let desk = Desk::new(aws);
    desk.write(
        "home/.aws/credentials",
        "[shop]\naws_access_key_id = a\naws_secret_access_key = b\n",
    );
    let credentials = desk.path("home/.aws/credentials");
    let desk = desk.with(
        "AWS_SHARED_CREDENTIALS_FILE",
        credentials.to_str().expect("text"),
    );
    let key = aws.key();
    let alias = aws.alias(&key, "written");
    let role = "arn:aws:iam::123456789012:role/shop";
    let with_role = format!("{key}+{role}");
    let spaced = format!(" {key} + {role}");
    let two = format!("{key},{alias}");
    for keys in [&key, &alias, &with_role, &spaced, &two] {
        for more in [
            &[][..],
            &["--aws-profile", "shop"],
            &["--encryption-context", "b:2,a:1"],
            &[
                "--encryption-context",
                "a:1,a:3,: x",
                "--aws-profile",
                "shop",
            ],
        ] {
            let formats = if *keys == two {
                &FORMATS[..]
            } else {
                &FORMATS[..1]
            };
            for (name, text) in formats {
                let written = BOTH.map(|whose| {
                    desk.write(name, text);
                    let args = [&["encrypt", "-i", "--kms", keys], more, &[name]].concat();
                    desk.sops(whose, &args).ok();
                    of_keys(&desk.read(name))
                });
                assert_eq!(written[0], written[1], "{keys} {more:?} {name}");
            }
        }
    }
}

/// What a document says of its keys, without what differs from time to time.
fn of_keys(text: &str) -> Vec<String> {
    if let Ok(mut document) = serde_json::from_str::<serde_json::Value>(text) {
        for key in document["sops"]["kms"].as_array_mut().expect("it has keys") {
            for name in ["enc", "created_at"] {
                let removed = key.as_object_mut().expect("fields").remove(name);
                assert!(removed.is_some());
            }
        }
        return vec![document["sops"]["kms"].to_string()];
    }
    let start = text.find("kms").expect("it has keys there");
    let lines = text[start..].lines().map(str::trim);
    let lines = lines.filter(|line| {
        let differs = ["enc", "created_at", "lastmodified", "mac", "layout"];
        let name = line
            .trim_start_matches("sops_")
            .trim_start_matches(['"', '-', ' ']);
        let name = name.rsplit_once("map_").map_or(name, |(_, name)| name);
        !differs.iter().any(|prefix| name.starts_with(prefix))
    });
    lines.map(str::to_owned).collect()
}
