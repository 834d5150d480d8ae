//! What goes wrong is said in time, with the right exit code, and nothing is written.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use keys::{DataKey, Env, KeyShare, backend};
use serde_json::json;
use testkit::azure::{Azure, FIRST, LOGIN, TENANT, TOKEN};
use testkit::pki::Authority;
use testkit::stub::{Reply, Request, Stub};

use super::desk::{Desk, TEXT, unwrapped};

#[test]
fn what_the_vault_refuses_is_said_and_nothing_is_written() {
    let vault = Azure::start();
    let closed = Desk::new(&vault);
    let key = format!("{}/{FIRST}", vault.key("refused"));
    assert!(closed.encrypt(&key).status.success());
    let wrong = "echo '{\"accessToken\": \"eyJ0.token-that-is-over\", \"expires_on\": 4102444800}'";
    for (refusal, reason) in [
        (
            None,
            "401 Unauthorized: Error validating token: IDX10223 (the token is not valid there, or its time is over)",
        ),
        (
            Some((
                403,
                "Caller is not authorized to perform action on resource.",
            )),
            "(it takes the permission keys/",
        ),
        (
            Some((403, "Operation is not allowed on a disabled key.")),
            "403 Forbidden: Operation is not allowed on a disabled key.",
        ),
        (
            Some((404, "A key was not found in this key vault.")),
            "(there is no such key or version)",
        ),
    ] {
        let desk = Desk::new(&vault);
        match refusal {
            Some((status, reason)) => vault.refuse("refused", status, reason),
            None => desk.az(wrong),
        }
        desk.write("b.yaml", &closed.read("a.yaml"));
        let output = desk.ours(&["decrypt", "-i", "b.yaml"]).output();
        assert_eq!(output.code(), 128, "{}", output.stderr);
        let said = unwrapped(&output.stderr);
        assert!(said.contains(reason) && said.contains(&key), "{said}");
        assert!(!said.contains(TOKEN) && !said.contains("token-that-is-over"));
        assert_eq!(desk.read("b.yaml"), closed.read("a.yaml"));
        // One key that does not wrap is enough: the document would not open for everybody.
        let recipient = age::x25519::Identity::generate().to_public().to_string();
        for more in [&[][..], &["--age", &recipient]] {
            let args = ["encrypt", "-i", "--azure-kv", &key, "a.yaml"];
            let output = desk.ours(&[&args[..1], more, &args[1..]].concat()).output();
            assert_eq!(output.code(), 1, "{}", output.stderr);
            assert!(output.stderr.contains(reason), "{}", output.stderr);
            assert_eq!(desk.read("a.yaml"), TEXT);
        }
    }
}

/// A vault that challenges as it must, and is told what to say to the rest.
fn odd(answer: impl Fn(usize) -> Reply + Send + Sync + 'static) -> (Stub, String) {
    let authority = Authority::new("odd");
    let calls = AtomicUsize::new(0);
    let stub = Stub::start_with(&authority.server(&[]), move |asked: &Request| {
        if !asked.header("authorization").is_empty() {
            return answer(calls.fetch_add(1, Ordering::Relaxed));
        }
        assert_eq!(asked.body, b"", "nothing is shown before the challenge");
        let port = asked.header("host").rsplit(':').next().unwrap_or_default();
        let challenge =
            format!("Bearer authorization=\"{LOGIN}/{TENANT}\", resource=\"https://0.0.1:{port}\"");
        Reply::Answer(401, vec![("www-authenticate", challenge)], String::new())
    });
    (stub, authority.certificate())
}

/// As somebody who has logged in, and trusts that vault.
fn desk(place: &Stub, authority: &str, vault: &Azure) -> Desk {
    let mut desk = Desk::new(vault);
    desk.write("authority.pem", authority);
    let list = ("SOPS_AZURE_KEYVAULT_ALLOWLIST", place.address.clone());
    desk.variables.push(list);
    desk
}

#[test]
fn odd_vaults_end_in_an_error() {
    let vault = Azure::start();
    let good = |body: &'static str| odd(move |_| Reply::Answer(200, Vec::new(), body.to_owned()));
    let plain = {
        let authority = Authority::new("plain");
        let identity = authority.server(&[]);
        let stub = Stub::start_with(&identity, |_| Reply::json(200, &json!({"value": "eA"})));
        (stub, authority.certificate())
    };
    for ((stub, authority), reason) in [
        (good("{"), "is not what a vault answers"),
        (good("{}"), "holds no data key"),
        (good("{\"value\":\"\\u001b[0m\"}"), "holds no data key"),
        (
            odd(|_| Reply::Answer(200, Vec::new(), "x".repeat(2 << 20))),
            "too long",
        ),
        (
            odd(|_| {
                Reply::Answer(
                    307,
                    vec![("location", "https://elsewhere.example/?t".to_owned())],
                    String::new(),
                )
            }),
            "sends to https://elsewhere.example/; nothing is sent there",
        ),
        (plain, "without asking for a token, which no vault does"),
    ] {
        let desk = desk(&stub, &authority, &vault);
        let output = desk.encrypt(&format!("{}/keys/k/{FIRST}", stub.address));
        assert_eq!(output.code(), 1);
        assert!(
            output.stderr.contains(reason),
            "{reason}: {}",
            output.stderr
        );
        assert_eq!(desk.read("a.yaml"), TEXT);
    }
    // A certificate of somebody else.
    let (stub, _) = good("{}");
    let desk = desk(&stub, &vault.authority, &vault);
    let output = desk.encrypt(&format!("{}/keys/k/{FIRST}", stub.address));
    assert_eq!(output.code(), 1);
    assert!(
        output
            .stderr
            .contains("invalid peer certificate: UnknownIssuer"),
        "{}",
        output.stderr
    );
    // Without a version it must say one.
    let (stub, authority) =
        odd(|_| Reply::json(200, &json!({"key": {"kid": "https://v/keys/k/../x?"}})));
    let desk = self::desk(&stub, &authority, &vault);
    let output = desk.encrypt(&format!("{}/keys/k", stub.address));
    assert_eq!(output.code(), 1);
    assert!(
        output.stderr.contains("names no version of the key"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_vault_that_asks_for_time_is_asked_again() {
    let vault = Azure::start();
    let (stub, authority) = odd(|call| match call {
        0 => Reply::Answer(429, vec![("retry-after", "1".to_owned())], String::new()),
        1 => Reply::Answer(503, Vec::new(), String::new()),
        _ => Reply::json(200, &json!({"value": "eA"})),
    });
    let desk = desk(&stub, &authority, &vault);
    let output = desk.encrypt(&format!("{}/keys/k/{FIRST}", stub.address));
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(stub.seen().len(), 4);
}

#[test]
fn a_silent_vault_is_given_up_in_time() {
    let stub = Stub::start(|_| Reply::Silence);
    let address = stub.address.replace("http:", "https:");
    let kind = backend::of_field("azure_kv").expect("it is built in");
    let key = (kind.parse)(&format!("{address}/keys/k/1")).expect("a key");
    let env = Env::from([("SOPS_AZURE_KEYVAULT_ALLOWLIST", address.as_str())])
        .with_time_limit(Duration::from_secs(1));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let share = KeyShare::from(&DataKey::generate());
    for reason in ["no answer in 1 s", "left alone for a while"] {
        let refused = runtime.block_on(key.wrap_key(&share, &env));
        let refused = refused.expect_err("nobody answers");
        assert!(refused.0.contains(reason), "{refused}");
    }
}
