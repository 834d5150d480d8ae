//! Keys of Vault's transit engine, on a real server: both programs open what the other one closed, and nobody sends a token
//! where it does not belong.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use testkit::cli::{self, Output, Run};
use testkit::vault::{self, ROOT, Vault};
use testkit::{ours, peer};

const TEXT: &str = "user: app\npassword: hunter2 # yes\n";

/// A folder with a document in clear, and what both programs are told of a server.
struct Desk {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Desk {
    fn new(vault: &Vault, token: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a.yaml"), TEXT).expect("written");
        symlink(ours::kubeseal(), folder.path().join("sops")).expect("a link");
        let variables = vec![
            ("VAULT_ADDR", vault.address.clone()),
            ("VAULT_TOKEN", token.to_owned()),
        ];
        Self { folder, variables }
    }

    /// As [`Desk::new`], without a token.
    fn with(vault: &Vault, variables: &[(&'static str, &str)]) -> Self {
        let mut desk = Self::new(vault, "");
        desk.variables.pop();
        let more = variables
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        desk.variables.extend(more);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("it is there")
    }

    fn run(&self, program: PathBuf, args: &[&str]) -> Run {
        let run = cli::run(program).folder(self.folder.path());
        let run = self
            .variables
            .iter()
            .fold(run, |run, (name, value)| run.env(*name, value));
        run.args(args.iter().copied())
    }

    fn ours(&self, args: &[&str]) -> Run {
        self.run(self.path("sops"), args)
    }

    fn theirs(&self, args: &[&str]) -> Run {
        self.run(peer::SOPS.path(), args)
    }

    /// Encrypts the document, by ours.
    fn encrypt(&self, key: &str) -> Output {
        self.ours(&["encrypt", "-i", "--hc-vault-transit", key, "a.yaml"])
            .output()
    }
}

#[test]
fn both_programs_open_what_the_other_one_closed() {
    let vault = vault::shared();
    let desk = Desk::new(vault, ROOT);
    let key = vault.key("crossed");
    for ours_closes in [true, false] {
        fs::write(desk.path("a.yaml"), TEXT).expect("written");
        let args = ["encrypt", "-i", "--hc-vault-transit", &key, "a.yaml"];
        match ours_closes {
            true => desk.ours(&args).ok(),
            false => desk.theirs(&args).ok(),
        };
        let closed = desk.read("a.yaml");
        assert!(
            closed.contains("enc: vault:v1:")
                && closed.contains(&format!("vault_address: {}", vault.address)),
            "{closed}"
        );
        assert!(!closed.contains("hunter2"));
        let opened = [
            desk.ours(&["decrypt", "a.yaml"]).ok(),
            desk.theirs(&["decrypt", "a.yaml"]).ok(),
        ];
        // The original puts comments on lines of their own.
        let without_comment = |text: &str| text.replace("# yes\n", "").replace(" # yes", "");
        assert_eq!(
            without_comment(&opened[0]).trim(),
            without_comment(&opened[1]).trim()
        );
        // A change keeps the key, and a rotation asks for it again.
        desk.ours(&["set", "a.yaml", "[\"user\"]", "\"other\""])
            .ok();
        desk.ours(&["rotate", "-i", "a.yaml"]).ok();
        assert!(
            desk.theirs(&["decrypt", "a.yaml"])
                .ok()
                .contains("user: other")
        );
    }
    // Kept versions of the key open, too.
    vault.ask("POST", "transit/keys/crossed/rotate", &json!({}));
    assert!(desk.ours(&["decrypt", "a.yaml"]).ok().contains("hunter2"));
    desk.ours(&["rotate", "-i", "a.yaml"]).ok();
    assert!(desk.read("a.yaml").contains("enc: vault:v2:"));
}

#[test]
fn a_configuration_names_keys_of_vault() {
    let vault = vault::shared();
    let desk = Desk::new(vault, ROOT);
    let key = vault.key("configured");
    for rule in [
        format!("hc_vault_transit_uri: {key}"),
        format!("key_groups:\n  - hc_vault: ['{key}']"),
    ] {
        fs::write(
            desk.path(".sops.yaml"),
            format!("creation_rules:\n- {rule}\n"),
        )
        .expect("written");
        fs::write(desk.path("a.yaml"), TEXT).expect("written");
        desk.ours(&["encrypt", "-i", "a.yaml"]).ok();
        assert_eq!(
            desk.theirs(&["decrypt", "--extract", "[\"password\"]", "a.yaml"])
                .ok(),
            "hunter2"
        );
    }
}

#[test]
fn what_the_server_refuses_is_said_and_nothing_is_written() {
    let vault = vault::shared();
    let key = vault.key("refused");
    let closed = Desk::new(vault, ROOT);
    assert!(closed.encrypt(&key).status.success());
    let encrypt_only = vault.token("encrypt-only", &[("transit/encrypt/refused", "update")]);
    for (token, reason) in [
        ("no-such-token", "invalid token"),
        (encrypt_only.as_str(), "403"),
    ] {
        let desk = Desk::new(vault, token);
        fs::copy(closed.path("a.yaml"), desk.path("b.yaml")).expect("copied");
        let output = desk.ours(&["decrypt", "-i", "b.yaml"]).output();
        assert_eq!(output.status.code(), Some(128), "{}", output.stderr);
        assert!(output.stderr.contains(reason), "{}", output.stderr);
        assert!(!output.stderr.contains(token), "{}", output.stderr);
        assert_eq!(desk.read("b.yaml"), closed.read("a.yaml"));
    }
    let desk = Desk::new(vault, "no-such-token");
    let output = desk.encrypt(&key);
    assert!(
        !output.status.success() && desk.read("a.yaml") == TEXT,
        "{}",
        output.stderr
    );
    // One key that does not wrap is enough: the document would not open for everybody.
    let recipient = "age1595auwr0xd8hhchwfvzlev928f4k5ye3knv3v2ulxr4vmcrv4afs0lvq6k";
    let both = [
        "encrypt",
        "-i",
        "--age",
        recipient,
        "--hc-vault-transit",
        &key,
        "a.yaml",
    ];
    let output = desk.ours(&both).output();
    assert!(
        !output.status.success() && desk.read("a.yaml") == TEXT,
        "{}",
        output.stderr
    );
    // A version that is no longer served.
    vault.ask("POST", "transit/keys/refused/rotate", &json!({}));
    vault.ask(
        "POST",
        "transit/keys/refused/config",
        &json!({"min_decryption_version": 2}),
    );
    let output = closed.ours(&["decrypt", "a.yaml"]).output();
    assert_eq!(output.status.code(), Some(128));
    assert!(
        output.stderr.contains("disallowed by policy"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_token_goes_only_where_somebody_allows_it() {
    let vault = vault::shared();
    let key = vault.key("allowed");
    let closed = Desk::new(vault, ROOT);
    assert!(closed.encrypt(&key).status.success());
    let open = |variables: &[(&'static str, &str)]| {
        let mut desk = Desk::with(vault, &[("VAULT_TOKEN", ROOT)]);
        desk.variables.retain(|(name, _)| *name != "VAULT_ADDR");
        desk.variables.extend(
            variables
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        fs::copy(closed.path("a.yaml"), desk.path("a.yaml")).expect("copied");
        desk.ours(&["decrypt", "a.yaml"]).output()
    };
    for refused in [
        &[][..],
        &[("VAULT_ADDR", "http://127.0.0.1:1")],
        &[("SOPS_HC_VAULT_ALLOWLIST", "none")],
        &[
            ("SOPS_HC_VAULT_ALLOWLIST", "https://elsewhere.example"),
            ("VAULT_ADDR", &vault.address),
        ],
    ] {
        let output = open(refused);
        assert_eq!(output.status.code(), Some(128), "{refused:?}");
        assert!(
            output
                .stderr
                .contains("no token is sent to http://127.0.0.1:"),
            "{}",
            output.stderr
        );
        assert!(
            output.stderr.contains("SOPS_HC_VAULT_ALLOWLIST"),
            "{}",
            output.stderr
        );
    }
    for allowed in [
        ("VAULT_ADDR", vault.address.as_str()),
        ("BAO_ADDR", &vault.address),
        ("SOPS_HC_VAULT_ALLOWLIST", &vault.address),
        ("SOPS_HC_VAULT_ALLOWLIST", "all"),
    ] {
        let output = open(&[allowed]);
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            TEXT,
            "{allowed:?} {}",
            output.stderr
        );
    }
}

#[test]
fn a_redirection_does_not_take_the_token_along() {
    let elsewhere = Stub::start(|_| "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_owned());
    let place = elsewhere.address.clone();
    let stub = Stub::start(move |_| {
        format!(
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: {place}/v1/x\r\ncontent-length: 0\r\n\r\n"
        )
    });
    let output = stub.desk().encrypt(&stub.key());
    assert!(!output.status.success());
    assert!(
        output
            .stderr
            .contains("where nothing is sent unless it is allowed"),
        "{}",
        output.stderr
    );
    assert_eq!(
        *elsewhere.seen.lock().expect("no holder panics"),
        Vec::<String>::new()
    );
}

#[test]
fn odd_slow_and_dead_servers_end_in_an_error_in_time() {
    let answer = |body: &'static str| {
        move |_: usize| {
            format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        }
    };
    for (stub, reason) in [
        (Stub::start(answer("{")), "is not what Vault answers"),
        (Stub::start(answer("{\"data\":{}}")), "holds no ciphertext"),
        (
            Stub::start(|_| {
                "HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n".to_owned()
                    + &"x".repeat(2 << 20)
            }),
            "too long",
        ),
        (
            Stub::start(|_| "nonsense\r\n\r\n".to_owned()),
            "PUT http://127.0.0.1",
        ),
        (Stub::start(|_| String::new()), "no answer in 3 s"),
    ] {
        let mut desk = stub.desk();
        desk.variables
            .push(("VAULT_CLIENT_TIMEOUT", "3s".to_owned()));
        let begun = Instant::now();
        let output = desk.encrypt(&stub.key());
        assert!(!output.status.success() && desk.read("a.yaml") == TEXT);
        assert!(
            output.stderr.contains(reason),
            "{reason}: {}",
            output.stderr
        );
        assert!(begun.elapsed() < Duration::from_secs(20), "{reason}");
    }
    // Nobody listens.
    let stub = Stub::start(|_| String::new());
    let desk = stub.desk();
    let dead = format!("http://127.0.0.1:{}", testkit::ports::free());
    let mut desk = Desk {
        variables: vec![
            ("VAULT_ADDR", dead.clone()),
            ("VAULT_TOKEN", "t".to_owned()),
        ],
        ..desk
    };
    desk.variables.push(("VAULT_MAX_RETRIES", "0".to_owned()));
    let output = desk.encrypt(&format!("{dead}/v1/transit/keys/k"));
    assert!(output.stderr.contains("refused"), "{}", output.stderr);
}

#[test]
fn a_server_that_asks_for_time_is_asked_again() {
    let body = "{\"data\":{\"ciphertext\":\"vault:v1:abc\"}}";
    let stub = Stub::start(move |call| match call {
        0 => "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"
            .to_owned(),
        1 => "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n".to_owned(),
        _ => format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ),
    });
    let output = stub.desk().encrypt(&stub.key());
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(stub.seen.lock().expect("no holder panics").len(), 3);
}

#[test]
fn logins_give_tokens() {
    let vault = vault::shared();
    let key = vault.key("login");
    let rules = [("transit/*", "update"), ("transit/keys/login", "update")];
    let _ = vault.token("login", &rules);
    vault.ask("POST", "transit/keys/login", &json!({}));
    vault.ask("POST", "sys/auth/approle", &json!({"type": "approle"}));
    vault.ask(
        "POST",
        "auth/approle/role/app",
        &json!({"token_policies": ["login"]}),
    );
    let role = vault.ask("GET", "auth/approle/role/app/role-id", &json!(null));
    let role = role["data"]["role_id"].as_str().expect("an id").to_owned();
    let secret = vault.ask("POST", "auth/approle/role/app/secret-id", &json!({}));
    let secret = secret["data"]["secret_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let desk = Desk::with(
        vault,
        &[
            ("VAULT_AUTH_METHOD", "approle"),
            ("VAULT_ROLE_ID", &role),
            ("VAULT_SECRET_ID", &secret),
        ],
    );
    let output = desk.encrypt(&key);
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(desk.ours(&["decrypt", "a.yaml"]).ok(), TEXT);
    let wrong = Desk::with(
        vault,
        &[
            ("VAULT_AUTH_METHOD", "approle"),
            ("VAULT_ROLE_ID", &role),
            ("VAULT_SECRET_ID", "hunter2"),
        ],
    );
    let output = wrong.encrypt(&key);
    assert!(
        output.stderr.contains("auth/approle/login") && !output.stderr.contains("hunter2"),
        "{}",
        output.stderr
    );
    // A file in the person's own folder, as `vault login` leaves it.
    let desk = Desk::with(vault, &[]);
    fs::write(desk.path(".vault-token"), format!("{ROOT}\n")).expect("written");
    let home = desk.folder.path().to_owned();
    let output = desk
        .ours(&["encrypt", "--hc-vault-transit", &key, "a.yaml"])
        .env("HOME", &home)
        .output();
    assert!(output.status.success(), "{}", output.stderr);
    let output = desk
        .ours(&["encrypt", "--hc-vault-transit", &key, "a.yaml"])
        .output();
    assert!(
        output.stderr.contains("there is no token"),
        "{}",
        output.stderr
    );
}

/// What answers like no Vault: it is told what to say to each call, and keeps what was asked.
struct Stub {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    fn start(answer: impl Fn(usize) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("it is bound"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let calls = seen.clone();
        thread::spawn(move || {
            // Connections without an answer stay open: the caller has to give up.
            let mut silent = Vec::new();
            for stream in listener.incoming().flatten() {
                let mut stream = stream;
                let mut head = [0; 4096];
                let length = stream.read(&mut head).unwrap_or(0);
                let mut calls = calls.lock().expect("no holder panics");
                let text = answer(calls.len());
                calls.push(String::from_utf8_lossy(&head[..length]).into_owned());
                drop(calls);
                match text.is_empty() {
                    true => silent.push(stream),
                    false => drop(stream.write_all(text.as_bytes())),
                }
            }
        });
        Self { address, seen }
    }

    fn desk(&self) -> Desk {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a.yaml"), TEXT).expect("written");
        symlink(ours::kubeseal(), folder.path().join("sops")).expect("a link");
        let variables = vec![
            ("VAULT_ADDR", self.address.clone()),
            ("VAULT_TOKEN", "s.token".to_owned()),
        ];
        Desk { folder, variables }
    }

    fn key(&self) -> String {
        format!("{}/v1/transit/keys/k", self.address)
    }
}
