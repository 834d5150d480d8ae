//! What goes wrong is said in time, with the right exit code, and nothing is written.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::vault::{self, ROOT};
use testkit::{PATIENCE, ports, wait_until};

use super::desk::{Desk, Stub, TEXT, answer, unwrapped};

#[test]
fn what_the_server_refuses_is_said_and_nothing_is_written() {
    let vault = vault::shared();
    let key = vault.key("refused");
    let closed = Desk::new(vault, ROOT);
    assert!(closed.encrypt(&key).status.success());
    let encrypt_only = vault.token("encrypt-only", &[("transit/encrypt/refused", "update")]);
    let expired = vault.ask("POST", "auth/token/create", &json!({"ttl": "1s"}));
    let expired = expired["auth"]["client_token"].as_str().expect("a token");
    wait_until("the token expires", PATIENCE, || {
        match vault.send("GET", "auth/token/lookup-self", expired, &json!(null)) {
            (403, _) => Ok(()),
            (status, _) => Err(status),
        }
    });
    for (token, reason) in [
        ("no-such-token", "invalid token"),
        (expired, "invalid token"),
        (encrypt_only.as_str(), "its policies do not allow this path"),
    ] {
        let desk = Desk::new(vault, token);
        desk.write("b.yaml", &closed.read("a.yaml"));
        let output = desk.ours(&["decrypt", "-i", "b.yaml"]).output();
        assert_eq!(output.code(), 128, "{}", output.stderr);
        let said = unwrapped(&output.stderr);
        assert!(said.contains(reason) && !said.contains(token), "{said}");
        assert_eq!(desk.read("b.yaml"), closed.read("a.yaml"));
    }
    let no_engine = format!("{}/v1/no-engine/keys/k", vault.address);
    for (token, key, reason) in [
        ("no-such-token", &key, "403 Forbidden"),
        (ROOT, &no_engine, "404 Not Found: no handler for route"),
    ] {
        // One key that does not wrap is enough: the document would not open for everybody.
        let recipient = age::x25519::Identity::generate().to_public().to_string();
        let desk = Desk::new(vault, token);
        for more in [&[][..], &["--age", &recipient]] {
            let args = ["encrypt", "-i", "--hc-vault-transit", key, "a.yaml"];
            let output = desk.ours(&[&args[..1], more, &args[1..]].concat()).output();
            assert_eq!(output.code(), 1, "{}", output.stderr);
            assert!(output.stderr.contains(reason), "{}", output.stderr);
            assert_eq!(desk.read("a.yaml"), TEXT);
        }
    }
    // A version that is no longer served.
    vault.ask("POST", "transit/keys/refused/rotate", &json!({}));
    vault.ask(
        "POST",
        "transit/keys/refused/config",
        &json!({"min_decryption_version": 2}),
    );
    let output = closed.ours(&["decrypt", "a.yaml"]).output();
    assert_eq!(output.code(), 128);
    let said = unwrapped(&output.stderr);
    assert!(said.contains("disallowed by policy"), "{said}");
}

#[test]
fn odd_slow_and_dead_servers_end_in_an_error_in_time() {
    let good = |body: &'static str| Stub::start(move |_, _| answer("200 OK", body));
    for (stub, reason) in [
        (good("{"), "is not what Vault answers"),
        (good("{\"data\":{}}"), "holds no ciphertext"),
        (
            good("{\"data\":{\"ciphertext\":\"vault:v1:\\u001b[0m\"}}"),
            "holds no ciphertext",
        ),
        (
            Stub::start(|_, _| answer("200 OK", &"x".repeat(2 << 20))),
            "too long",
        ),
        (
            Stub::start(|_, _| "nonsense\r\n\r\n".to_owned()),
            "PUT http://127.0.0.1",
        ),
        (Stub::start(|_, _| String::new()), "no answer in 3 s"),
    ] {
        let mut desk = stub.desk();
        desk.variables
            .push(("VAULT_CLIENT_TIMEOUT", "3s".to_owned()));
        let begun = Instant::now();
        let output = desk.encrypt(&stub.key());
        assert_eq!(output.code(), 1);
        assert_eq!(desk.read("a.yaml"), TEXT);
        assert!(
            output.stderr.contains(reason),
            "{reason}: {}",
            output.stderr
        );
        assert!(begun.elapsed() < Duration::from_secs(20), "{reason}");
    }
    // Nobody listens.
    let dead = format!("http://127.0.0.1:{}", ports::free());
    let desk = Desk::bare(&[("VAULT_TOKEN", "t"), ("VAULT_MAX_RETRIES", "0")]);
    let output = desk.encrypt(&format!("{dead}/v1/transit/keys/k"));
    assert_eq!(output.code(), 1);
    assert!(output.stderr.contains("refused"), "{}", output.stderr);
}

#[test]
fn what_a_server_repeats_of_what_it_was_sent_is_not_shown() {
    let stub = Stub::start(|_, asked| {
        let words = asked.replace(['"', '\\', '\r', '\n'], " ");
        answer("400 Bad Request", &json!({"errors": [words]}).to_string())
    });
    let desk = stub.desk();
    let output = desk.encrypt(&stub.key());
    assert_eq!(output.code(), 1);
    assert!(
        output.stderr.contains("x-vault-token: …"),
        "{}",
        output.stderr
    );
    assert!(
        !output.stderr.contains("token-of-tests"),
        "{}",
        output.stderr
    );
    let asked = stub.seen().concat();
    let share = asked.split("\"plaintext\":\"").nth(1);
    if let Some(share) = share.and_then(|rest| rest.split('"').next()) {
        assert!(!output.stderr.contains(share), "{}", output.stderr);
    }
}

#[test]
fn a_server_that_asks_for_time_is_asked_again() {
    let stub = Stub::start(|call, _| match call {
        0 => "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"
            .to_owned(),
        1 => answer("503 Service Unavailable", ""),
        _ => answer("200 OK", "{\"data\":{\"ciphertext\":\"vault:v1:abc\"}}"),
    });
    let output = stub.desk().encrypt(&stub.key());
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(stub.seen().len(), 3);
}

#[test]
fn a_server_that_is_silent_is_left_alone_whoever_asks() {
    let vault = vault::shared();
    let closed = Desk::new(vault, ROOT);
    assert!(closed.encrypt(&vault.key("silent")).status.success());
    let stub = Stub::start(|_, _| String::new());
    let mut desk = stub.desk();
    desk.variables
        .push(("VAULT_CLIENT_TIMEOUT", "2s".to_owned()));
    for number in 0..60 {
        let text = closed.read("a.yaml").replace(&vault.address, &stub.address);
        let text = text.replace("enc: vault:v1:", &format!("enc: vault:v1:{number}"));
        desk.write(&format!("tree/{number}.yaml"), &text);
    }
    let begun = Instant::now();
    let output = desk.kubeseal(&["decrypt", "--dry-run", "tree"]).output();
    assert_eq!(output.code(), 1);
    assert!(output.stderr.contains("60 failed"), "{}", output.stderr);
    assert!(
        output.stderr.contains("left alone for a while"),
        "{}",
        output.stderr
    );
    // Without that each of eight threads would wait for two seconds, eight times.
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(stub.seen().len() <= 8, "{}", stub.seen().len());
}
