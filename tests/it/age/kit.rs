//! The test vectors of the age format (C2SP): what must open opens, and all else is refused.

use std::{fs, io::Read};

use aws_lc_rs::digest;
use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::read::ZlibDecoder;
use futures::executor::block_on;
use keys::{
    Env,
    backend::age::BACKEND,
    master_key::{Fields, Wrapped},
};
use testkit::peer;

use super::prompts::Says;
use crate::person::Person;

/// No share of a data key is longer, and none is read.
const LONGEST: usize = 1 << 10;

/// What the age crate takes though the format does not.
const LENIENT: [&str; 2] = ["stanza_missing_body", "stanza_missing_final_line"];

/// One vector: what is expected, and an age file.
struct Vector {
    name: String,
    header: Vec<(String, String)>,
    file: Vec<u8>,
}

impl Vector {
    fn read(name: String, bytes: &[u8]) -> Self {
        let end = bytes
            .windows(2)
            .position(|two| two == b"\n\n")
            .expect("a header ends with an empty line");
        let header = String::from_utf8(bytes[..end].to_vec()).expect("a header is text");
        let header = header.lines().map(|line| {
            let (key, value) = line.split_once(": ").expect(line);
            (key.to_owned(), value.to_owned())
        });
        let header: Vec<_> = header.collect();
        let mut vector = Self {
            name,
            header,
            file: bytes[end + 2..].to_vec(),
        };
        if vector.get("compressed").is_some() {
            let mut file = Vec::new();
            ZlibDecoder::new(&*vector.file)
                .read_to_end(&mut file)
                .expect("zlib");
            vector.file = file;
        }
        vector
    }

    fn get(&self, key: &str) -> Option<&str> {
        let mut found = self.header.iter().filter(|(name, _)| name == key);
        found.next().map(|(_, value)| value.as_str())
    }

    fn identities(&self) -> String {
        let all = self.header.iter().filter(|(name, _)| name == "identity");
        all.map(|(_, value)| format!("{value}\n")).collect()
    }

    /// The file in the armor that SOPS documents have. Returns `None` where it cannot stand in one.
    fn armored(&self) -> Option<String> {
        if self.get("armored").is_some() {
            return String::from_utf8(self.file.clone()).ok();
        }
        let text = BASE64_STANDARD.encode(&self.file);
        let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
        let lines: String = lines.map(|line| format!("{line}\n")).collect();
        Some(format!(
            "-----BEGIN AGE ENCRYPTED FILE-----\n{lines}-----END AGE ENCRYPTED FILE-----\n"
        ))
    }
}

fn vectors() -> Vec<Vector> {
    let folder = peer::module_folder("age-testkit", "c2sp.org/CCTV/age").join("testdata");
    let files = fs::read_dir(folder).expect("the module has vectors");
    let mut vectors: Vec<_> = files
        .map(|file| {
            let path = file.expect("it is listed").path();
            let name = path.file_name().expect("it has a name").to_string_lossy();
            Vector::read(name.into_owned(), &fs::read(&path).expect("it is there"))
        })
        .collect();
    vectors.sort_by(|a, b| a.name.cmp(&b.name));
    vectors
}

/// What the file held, or why it did not open.
fn open(enc: String, env: &Env) -> Result<Vec<u8>, String> {
    let fields = Fields::default().with("recipient", "age1");
    let key = (BACKEND.load)(&fields).expect("a key");
    let wrapped = Wrapped {
        enc,
        created_at: None,
    };
    let share = block_on(key.unwrap_key(&wrapped, env)).map_err(|error| error.to_string())?;
    Ok(share.expose_secret().to_vec())
}

#[test]
fn vectors_open_or_are_refused_as_they_say() {
    let (mut opened, mut refused, mut lenient) = (0, 0, Vec::new());
    for vector in vectors() {
        let Some(enc) = vector.armored() else {
            continue;
        };
        if vector.get("passphrase").is_some() {
            continue;
        }
        let name = &vector.name;
        let person = Person::new().with("SOPS_AGE_KEY", vector.identities());
        let payload = open(enc, &person.env());
        match (vector.get("expect"), payload) {
            (Some("success"), Ok(payload)) => {
                let hash = digest::digest(&digest::SHA256, &payload);
                let hash: String = hash.as_ref().iter().map(|b| format!("{b:02x}")).collect();
                assert_eq!(Some(hash.as_str()), vector.get("payload"), "{name}");
                opened += 1;
            }
            (Some("success"), Err(error)) => {
                assert!(vector.file.len() > LONGEST, "{name}: {error}");
            }
            (_, Err(_)) => refused += 1,
            (_, Ok(_)) => lenient.push(vector.name),
        }
    }
    assert_eq!(lenient, LENIENT);
    assert!(opened > 10 && refused > 70, "{opened} {refused}");
}

/// Passphrases protect files of identities, not documents: no vector holds identities, so that none gives any.
#[test]
fn files_under_a_passphrase_are_no_recipients() {
    let mut seen = 0;
    for vector in vectors() {
        if vector.get("passphrase").is_none() {
            continue;
        }
        let name = &vector.name;
        let person = Person::new();
        let file = person.write("keys", "");
        fs::write(&file, &vector.file).expect("the folder is ours");
        let person = person.with("SOPS_AGE_KEY_FILE", file.display().to_string());
        let env = person.env().with_prompt(Says::new("password"));
        let enc = vector.armored().expect("armor is text");
        open(enc, &env).expect_err(name);
        seen += 1;
    }
    assert!(seen > 15, "{seen}");
}
