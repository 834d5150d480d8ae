//! Types, numbers and escapes: what a value is stays the same from program to program and from format to format.

use decryptor::format::Format;
use decryptor::sops::Plain;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::sops_crossings::runner;

/// Values as JSON has them, some of which look like others.
const VALUES: &[&str] = &[
    "5",
    "-7",
    "0",
    "9223372036854775807",
    "1.5",
    "1.0",
    "200000.0",
    "1e3",
    "1e21",
    "1e19",
    "-2.5e-7",
    "1e300",
    "true",
    "false",
    "\"5\"",
    "\"1.0\"",
    "\"true\"",
    "\"True\"",
    "\"2024-01-02T00:00:00Z\"",
    "\"\"",
    "\"text\"",
    "\"two words\"",
];

/// Those that only YAML has.
const TIMES: &[&str] = &[
    "2024-01-02",
    "2024-01-02T03:04:05+02:00",
    "2024-01-02 03:04:05",
];

const FORMATS: [&str; 4] = ["yaml", "json", "dotenv", "ini"];

/// A document of one section, or of none.
fn document(format: &str, values: &[&str], in_section: bool) -> String {
    let lines = values.iter().enumerate();
    let pad = if in_section { "  " } else { "" };
    let plain = |text: &&str| text.trim_matches('"').to_owned();
    match format {
        "json" => {
            let pairs: Vec<_> = lines
                .map(|(at, value)| format!("\"k{at}\": {value}"))
                .collect();
            let inner = format!("{{{}}}", pairs.join(", "));
            match in_section {
                true => format!("{{\"s\": {inner}}}"),
                false => inner,
            }
        }
        "yaml" => {
            let pairs = lines.map(|(at, value)| format!("{pad}k{at}: {value}\n"));
            let head = if in_section { "s:\n" } else { "" };
            format!("{head}{}", pairs.collect::<String>())
        }
        "ini" => {
            let pairs = lines.map(|(at, value)| format!("k{at} = {}\n", plain(value)));
            format!("[s]\n{}", pairs.collect::<String>())
        }
        _ => lines
            .map(|(at, value)| format!("k{at}={}\n", plain(value)))
            .collect(),
    }
}

/// What stands behind `type:`, but for what ours has in its metadata.
fn types(text: &str, count: usize) -> Vec<String> {
    let found = text.split(",type:").skip(1);
    let names = found.map(|rest| rest.split(']').next().unwrap_or("").to_owned());
    names.take(count).collect()
}

#[test]
fn types_cross_over_between_all_formats() {
    let desk = Desk::new();
    let values = proptest::collection::vec(select(VALUES), 6);
    let case = (values, select(TIMES), any::<bool>());
    let crossed = runner(3).run(&case, |(values, time, in_section)| {
        for from in FORMATS {
            for to in FORMATS {
                let mut values = values.clone();
                values.push("\"last\"");
                if from == "yaml" {
                    values.push(time);
                }
                check_types(
                    &desk,
                    from,
                    to,
                    &document(from, &values, in_section || to == "ini"),
                );
            }
        }
        Ok(())
    });
    crossed.unwrap_or_else(|error| panic!("{error}"));
}

fn check_types(desk: &Desk, from: &str, to: &str, text: &str) {
    desk.write("source", text);
    let args = [
        "encrypt",
        "--age",
        &desk.recipient,
        "--input-type",
        from,
        "--output-type",
        to,
    ];
    let closed = BOTH.map(|whose| desk.sops(whose, &args).arg("source").output());
    let [theirs, ours] = closed.each_ref().map(Output::code);
    assert_eq!(theirs, ours, "{from} to {to}: {}\n{text}", said(&closed[1]));
    if theirs != 0 {
        return;
    }
    let names = closed.each_ref().map(Output::text);
    let count = names[0].matches(",type:").count() - 1;
    assert_eq!(
        types(&names[1], count),
        types(&names[0], count),
        "{from} to {to}\n{text}"
    );
    for (whose, name) in [(Whose::Theirs, "theirs"), (Whose::Ours, "ours")] {
        desk.write(name, &names[usize::from(whose == Whose::Ours)]);
    }
    for target in FORMATS {
        let args = ["decrypt", "--input-type", to, "--output-type", target];
        let mut opened = Vec::new();
        for whose in BOTH {
            for name in ["theirs", "ours"] {
                // What ours closed in its own format comes back in the layout of the source.
                if (whose, name) == (Whose::Ours, "ours") && from == to && to == target {
                    continue;
                }
                let output = desk.sops(whose, &args).arg(name).output();
                opened.push((whose, name, output.code(), output.text()));
            }
        }
        let (_, _, code, expected) = &opened[0];
        for (whose, name, other, found) in &opened {
            let what = format!("{whose:?} opens {name}: {from} to {to} to {target}\n{text}");
            assert_eq!((other, found), (code, expected), "{what}");
        }
    }
}

/// Plain scalars that may be numbers or times.
const SCALARS: &str = "200000.0 1e3 1E3 1.5e3 .5 5. +7 +.5 -.5 0o17 017 08 0x1F 0X1F -0x1F +0x1F 1_000 _1 1_ 1__0 1_0.5 .iNf nan \
    inf -0 +0 0.0 1e400 -1e400 1e-400 9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809 \
    18446744073709551615 18446744073709551616 0b101 0B101 -0b1 0b102 0x 0o 0o8 0O17 0xFFFFFFFFFFFFFFFF 0x8000000000000000 \
    -0x8000000000000000 01777777777777777777777 1.0e 1e 1e+ 1e+3 1e-3 1.e3 .e3 . 1.2.3 1:30 1:30:45 12_34 0x_1F 0o_17 0_7 00 \
    007 0.1e1 1_e3 1e1_0 12e03 0x1p4 1.7976931348623157e308 4.9e-324 123456789012345678 1234567.0 1e21 1e20 1e19 1e16 \
    12345678901234567890.5 0.000001 0.0000001 1e-7 2024-01-02 2024-1-2 2024-01-02T03:04:05Z 2024-01-02T03:04:05 \
    2024-01-02T03:04:05.123456789Z 2024-01-02T03:04:05.1234567891Z 2024-01-02t03:04:05z 2024-01-02T03:04:05+02:00 \
    2024-01-02T03:04:05+02 2024-01-02T03:04:05.100+02:30 2024-13-01 2024-02-30 0001-01-01 10000-01-01 2024-01-02T24:00:00Z \
    2024-01-02T23:59:60Z 2024-01-02T3:4:5Z 2024-01-02T03:04:05-00:00 2024-01-02T03:04:05+25:00 2024-01-02T03:04:05+24:00 \
    2024-01-02T03:04:05+22:60 2024-01-02T03:04:05+23:60 y yes on TRUE tRUE False ~ nULL =";

/// Some with white space.
const TAGGED: &[&str] = &[
    "2024-01-02 03:04:05",
    "2024-01-02 3:4:5",
    "2024-01-02 03:04:05 Z",
    "2024-01-02 03:04:05 +02:00",
    "2024-01-02 03:04:05.5",
    "2024-01-02  03:04:05",
    "!!float 1",
    "!!int 1.0",
    "!!int \"3\"",
    "!!int \"x\"",
    "!!bool yes",
    "!!bool \"true\"",
    "!!str 1",
    "!!timestamp 2024-01-02",
    "!!timestamp \"2024-01-02\"",
    "!!timestamp x",
    "!!float \"1e3\"",
    "!!float 0x10",
    "!!int 1e3",
    "!!binary aGk=",
    "!!binary '!'",
    "! 5",
    "! '5'",
    "!custom 5",
];

#[test]
fn numbers_and_times_mean_the_same_to_both() {
    let desk = Desk::new();
    let args = ["encrypt", "--age", &desk.recipient];
    let scalars = SCALARS.split_whitespace().chain(TAGGED.iter().copied());
    let is_read = |text: &str| Plain::parse(text.as_bytes(), Format::Yaml).is_ok();
    let (taken, refused): (Vec<&str>, Vec<&str>) =
        scalars.partition(|scalar| is_read(&format!("a: {scalar}\n")));
    assert!(taken.len() > 90 && refused.len() > 8, "{refused:?}");
    for scalar in refused {
        desk.write("a.yaml", &format!("a: {scalar}\n"));
        let output = desk.sops(Whose::Theirs, &args).arg("a.yaml").output();
        assert_ne!(output.code(), 0, "{scalar}");
    }
    // Encrypted, and in clear: then the MAC is over what is read.
    for suffix in ["", "_unencrypted"] {
        let lines = taken.iter().enumerate();
        let lines = lines.map(|(at, scalar)| format!("k{at}{suffix}: {scalar}\n"));
        let text = format!("pin: x\n{}", lines.collect::<String>());
        desk.write("a.yaml", &text);
        let closed = BOTH.map(|whose| desk.sops(whose, &args).arg("a.yaml").ok());
        assert_eq!(
            types(&closed[1], taken.len()),
            types(&closed[0], taken.len())
        );
        let mut opened = Vec::new();
        for text in &closed {
            desk.write("closed.yaml", text);
            for whose in BOTH {
                let args = ["decrypt", "--output-type", "json", "closed.yaml"];
                opened.push(desk.sops(whose, &args).ok());
            }
        }
        for other in &opened {
            assert_eq!(other, &opened[0]);
        }
    }
}

#[test]
fn escapes_are_read_as_by_the_original() {
    let desk = Desk::new();
    let args = ["encrypt", "--age", &desk.recipient];
    let simple = (' '..='~').map(|character| format!("x\\{character}y"));
    let longer = [
        "\\x41",
        "\\x4",
        "\\xzz",
        "\\u0041",
        "\\u004",
        "\\uD800",
        "\\uDC00x",
        "\\uD83D\\uDE00",
        "\\U0001F600",
        "\\U00110000",
        "\\UFFFFFFFF",
        "\\U0000D800",
        "\\U0010FFFF",
        "\\x00",
        "\\uFFFE",
        "\\uFFFF",
        "\\uFEFF",
        "\\x85",
        "\\xA0",
        "\\u2028",
        "\\u2029",
        "\\x7f",
        "\\x1b",
        "\\\n  z",
        "a\\\tb",
        "\\",
        "\\u00e9",
        "\\U0000",
        "\\xAg",
        "\\u+041",
        "\\x+1",
        "\\x-1",
        "\\\\/",
        "\\\\\\/",
    ];
    let bodies: Vec<String> = simple.chain(longer.map(str::to_owned)).collect();
    let mut taken = Vec::new();
    for body in &bodies {
        let line = format!("a: \"{body}\"\n");
        desk.write("a.yaml", &line);
        let theirs = desk.sops(Whose::Theirs, &args).arg("a.yaml").output();
        let ours = Plain::parse(line.as_bytes(), Format::Yaml).is_ok();
        // YAML has no such escape, and go-yaml takes it.
        match body == "x\\'y" {
            true => assert!(!ours),
            false => assert_eq!(ours, theirs.code() == 0, "{line}{}", theirs.stderr),
        }
        if ours {
            taken.push(body);
        }
    }
    assert!(taken.len() > 20, "{taken:?}");
    let lines = taken.iter().enumerate();
    let lines = lines.map(|(at, body)| format!("k{at}: \"{body}\"\n"));
    desk.write("a.yaml", &lines.collect::<String>());
    let values = BOTH.map(|whose| {
        desk.write("closed.yaml", &desk.sops(whose, &args).arg("a.yaml").ok());
        let args = ["decrypt", "--output-type", "json", "closed.yaml"];
        BOTH.map(|whose| desk.sops(whose, &args).ok())
    });
    for other in values.as_flattened() {
        assert_eq!(other, &values[0][0]);
    }
}

/// The original writes a word that it does not read again.
#[test]
fn nothing_becomes_an_empty_text() {
    let desk = Desk::new();
    desk.write("a.yaml", "a: x\nn: null\n");
    for (whose, expected) in [(Whose::Theirs, None), (Whose::Ours, Some("a=x\nn=\n"))] {
        let args = [
            "encrypt",
            "--output-type",
            "dotenv",
            "--output",
            "a.env",
            "--age",
            &desk.recipient,
            "a.yaml",
        ];
        desk.sops(whose, &args).ok();
        for opens in BOTH {
            let output = desk.sops(opens, &["decrypt", "a.env"]).output();
            let opened = (output.code() == 0).then(|| output.text());
            assert_eq!(opened.as_deref(), expected, "{whose:?} {opens:?}");
        }
    }
}

#[test]
fn json_in_a_file_of_another_name_is_json() {
    let desk = Desk::new();
    desk.write(
        "a.json",
        "{\"a\": 1, \"b_unencrypted\": \"clear\", \"c\": {\"d\": \"x\"}}",
    );
    desk.encrypt(Whose::Theirs, "a.json");
    let closed = desk.read("a.json");
    for args in [
        &["decrypt", "f.enc"][..],
        &["decrypt", "--output-type", "yaml", "f.enc"],
        &["decrypt", "--extract", r#"["c"]["d"]"#, "f.enc"],
        &["decrypt", "--extract", r#"["c"]"#, "f.enc"],
        &["set", "f.enc", r#"["a"]"#, "\"new\""],
        &["unset", "f.enc", r#"["c"]"#],
        &["rotate", "-i", "f.enc"],
        &["filestatus", "f.enc"],
    ] {
        let ends = BOTH.map(|whose| {
            desk.write("f.enc", &closed);
            let output = desk.sops(whose, args).output();
            let read = [
                "decrypt",
                "--input-type",
                "json",
                "--output-type",
                "json",
                "f.enc",
            ];
            let values = desk.sops(Whose::Theirs, &read).ok();
            (output.code(), output.text(), values)
        });
        assert_eq!(ends[1], ends[0], "{args:?}");
    }
    desk.write("a.yaml", "a: 1\n");
    let args = [
        "encrypt",
        "--output-type",
        "binary",
        "--age",
        &desk.recipient,
        "a.yaml",
    ];
    assert_eq!(desk.sops(Whose::Ours, &args).output().code(), 4);
    let closed = desk.sops(Whose::Theirs, &args).ok();
    desk.write("f.enc", &closed);
    let opened = BOTH.map(|whose| desk.sops(whose, &["decrypt", "f.enc"]).output().code());
    assert_eq!(opened, [4, 4]);
}
