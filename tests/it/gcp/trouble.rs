//! What goes wrong is said in time, with the right exit code, and nothing is written.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use keys::{DataKey, Env, KeyShare, backend};
use serde_json::json;
use testkit::gcp::{Gcp, TOKEN};
use testkit::pki::Authority;
use testkit::stub::{Reply, Request, Stub};
use testkit::{PATIENCE, ports, wait_until};

use super::desk::{Desk, TEXT, unwrapped};

#[test]
fn what_the_server_refuses_is_said_and_nothing_is_written() {
    let cloud = Gcp::start();
    let closed = Desk::new(&cloud, TOKEN);
    assert!(closed.encrypt(&cloud.key("refused")).status.success());
    let disabled = "projects/p/…/cryptoKeyVersions/1 is not enabled, current state is: DISABLED.";
    for (token, refusal, reason) in [
        (
            "ya29.over",
            None,
            "401 Unauthorized: Request had invalid authentication credentials. (the token is not valid, or its time is over)",
        ),
        (
            TOKEN,
            Some((403, "Permission denied.")),
            "403 Forbidden: Permission denied. (it takes the role roles/cloudkms.cryptoKey",
        ),
        (
            TOKEN,
            Some((404, "CryptoKey not found.")),
            "404 Not Found: CryptoKey not found. (there is no such key)",
        ),
        (TOKEN, Some((400, disabled)), "current state is: DISABLED."),
    ] {
        if let Some((status, reason)) = refusal {
            cloud.refuse("refused", status, reason);
        }
        let desk = Desk::new(&cloud, token);
        desk.write("b.yaml", &closed.read("a.yaml"));
        let output = desk.ours(&["decrypt", "-i", "b.yaml"]).output();
        assert_eq!(output.code(), 128, "{}", output.stderr);
        let said = unwrapped(&output.stderr);
        assert!(
            said.contains(reason) && said.contains(&cloud.key("refused")),
            "{said}"
        );
        assert!(!said.contains(token));
        assert_eq!(desk.read("b.yaml"), closed.read("a.yaml"));
        // One key that does not wrap is enough: the document would not open for everybody.
        let recipient = age::x25519::Identity::generate().to_public().to_string();
        let key = cloud.key("refused");
        for more in [&[][..], &["--age", &recipient]] {
            let args = ["encrypt", "-i", "--gcp-kms", &key, "a.yaml"];
            let output = desk.ours(&[&args[..1], more, &args[1..]].concat()).output();
            assert_eq!(output.code(), 1, "{}", output.stderr);
            assert!(output.stderr.contains(reason), "{}", output.stderr);
            assert_eq!(desk.read("a.yaml"), TEXT);
        }
    }
}

/// A folder whose programs ask a server that is told what to say.
fn desk(stub: &Stub) -> Desk {
    Desk::bare(&[
        ("SOPS_GCP_KMS_ENDPOINT", &stub.address),
        ("GOOGLE_OAUTH_ACCESS_TOKEN", TOKEN),
    ])
}

const KEY: &str = "projects/p/locations/l/keyRings/r/cryptoKeys/k";

#[test]
fn odd_and_dead_servers_end_in_an_error() {
    let good =
        |body: &'static str| Stub::start(move |_| Reply::Answer(200, Vec::new(), body.to_owned()));
    for (stub, reason) in [
        (good("{"), "is not what Cloud KMS answers"),
        (good("{}"), "holds no ciphertext"),
        (
            good("{\"ciphertext\":\"\\u001b[0m\"}"),
            "holds no ciphertext",
        ),
        (
            good("{\"ciphertext\":\"eA==\",\"ciphertextCrc32c\":\"1\"}"),
            "the checksums differ",
        ),
        (
            good("{\"ciphertext\":\"eA==\",\"verifiedPlaintextCrc32c\":false}"),
            "the checksums differ",
        ),
        (
            Stub::start(|_| Reply::Answer(200, Vec::new(), "x".repeat(2 << 20))),
            "too long",
        ),
        (
            Stub::start(|_| Reply::Raw(b"nonsense\r\n\r\n".to_vec())),
            "POST http://127.0.0.1",
        ),
    ] {
        let desk = desk(&stub);
        let output = desk.encrypt(KEY);
        assert_eq!(output.code(), 1);
        assert_eq!(desk.read("a.yaml"), TEXT);
        assert!(
            output.stderr.contains(reason),
            "{reason}: {}",
            output.stderr
        );
    }
    let dead = format!("http://127.0.0.1:{}", ports::free());
    let desk = Desk::bare(&[
        ("SOPS_GCP_KMS_ENDPOINT", &dead),
        ("GOOGLE_OAUTH_ACCESS_TOKEN", TOKEN),
    ]);
    let output = desk.encrypt(KEY);
    assert_eq!(output.code(), 1);
    assert!(output.stderr.contains("refused"), "{}", output.stderr);
}

#[test]
fn a_silent_server_is_given_up_in_time() {
    let stub = Stub::start(|_| Reply::Silence);
    let kind = backend::of_field("gcp_kms").expect("it is built in");
    let key = (kind.parse)(KEY).expect("a key");
    let env = Env::from([
        ("SOPS_GCP_KMS_ENDPOINT", stub.address.as_str()),
        ("GOOGLE_OAUTH_ACCESS_TOKEN", TOKEN),
    ])
    .with_time_limit(Duration::from_secs(1));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let share = KeyShare::from(&DataKey::generate());
    let begun = Instant::now();
    for reason in ["no answer in 1 s", "left alone for a while"] {
        let refused = runtime.block_on(key.wrap_key(&share, &env));
        let refused = refused.expect_err("nobody answers");
        assert!(refused.0.contains(reason), "{refused}");
    }
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(stub.seen().len(), 1);
}

#[test]
fn a_server_that_asks_for_time_is_asked_again() {
    let calls = AtomicUsize::new(0);
    let stub = Stub::start(move |_| match calls.fetch_add(1, Ordering::Relaxed) {
        0 => Reply::Answer(429, vec![("retry-after", "1".to_owned())], String::new()),
        1 => Reply::Answer(503, Vec::new(), String::new()),
        _ => Reply::json(200, &json!({"ciphertext": "eA=="})),
    });
    let output = desk(&stub).encrypt(KEY);
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(stub.seen().len(), 3);
}

#[test]
fn what_a_server_repeats_of_what_it_was_sent_is_not_shown() {
    let stub = Stub::start(|asked: &Request| {
        let body = String::from_utf8_lossy(&asked.body).into_owned();
        let words = format!("{} {body}", asked.header("authorization"));
        let words = words.replace(['"', '\\', '{', '}'], " ");
        Reply::json(400, &json!({"error": {"message": words}}))
    });
    let output = desk(&stub).encrypt(KEY);
    assert_eq!(output.code(), 1);
    assert!(
        output.stderr.contains("400 Bad Request: Bearer …"),
        "{}",
        output.stderr
    );
    let share = stub.seen()[0].json()["plaintext"]
        .as_str()
        .expect("it is sent")
        .to_owned();
    for secret in [TOKEN, &share] {
        assert!(!output.stderr.contains(secret), "{}", output.stderr);
    }
}

#[test]
fn no_redirection_is_followed() {
    let elsewhere = Stub::start(|_| Reply::json(200, &json!({})));
    let place = format!("{}/v1/x?token=t", elsewhere.address);
    let stub =
        Stub::start(move |_| Reply::Answer(307, vec![("location", place.clone())], String::new()));
    let desk = desk(&stub);
    let output = desk.encrypt(KEY);
    assert_eq!(output.code(), 1);
    let said = format!("sends to {}/v1/x; nothing is sent there", elsewhere.address);
    assert!(output.stderr.contains(&said), "{}", output.stderr);
    assert_eq!(desk.read("a.yaml"), TEXT);
    assert_eq!((elsewhere.seen().len(), stub.seen().len()), (0, 1));
}

#[test]
fn certificates_are_checked() {
    let authority = Authority::new("cloud");
    let identity = authority.server(&[]);
    let reply = json!({"ciphertext": "eA=="});
    let stub = Stub::start_with(&identity, move |_| Reply::json(200, &reply));
    let mut desk = desk(&stub);
    desk.write("authority.pem", &authority.certificate());
    desk.write("stranger.pem", &Authority::new("stranger").certificate());
    for file in ["stranger.pem", "authority.pem"] {
        let place = desk.path(file).to_string_lossy().into_owned();
        desk.variables.push(("SSL_CERT_FILE", place));
        let output = desk.encrypt(KEY);
        match file {
            "authority.pem" => assert!(output.status.success(), "{}", output.stderr),
            _ => {
                assert_eq!(output.code(), 1);
                let reason = "invalid peer certificate: UnknownIssuer";
                assert!(output.stderr.contains(reason), "{}", output.stderr);
                assert_eq!(desk.read("a.yaml"), TEXT);
            }
        }
    }
}

#[test]
fn a_token_that_is_over_is_replaced_and_one_that_is_not_is_kept() {
    let cloud = Gcp::start();
    for (lease, logins) in [(2, 3), (3599, 1)] {
        let machine = Stub::start(move |_| {
            let token = json!({"access_token": TOKEN, "expires_in": lease});
            let flavor = vec![("metadata-flavor", "Google".to_owned())];
            Reply::Answer(200, flavor, token.to_string())
        });
        let kind = backend::of_field("gcp_kms").expect("it is built in");
        let key = (kind.parse)(&cloud.key("sessions")).expect("a key");
        let env = Env::from([
            ("SOPS_GCP_KMS_ENDPOINT", cloud.stub.address.as_str()),
            (
                "GCE_METADATA_HOST",
                machine.address.trim_start_matches("http://"),
            ),
        ]);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let share = KeyShare::from(&DataKey::generate());
        let wrap = || {
            runtime
                .block_on(key.wrap_key(&share, &env))
                .expect("it wraps")
        };
        for _ in 0..5 {
            wrap();
        }
        wait_until("there are more logins", PATIENCE, || {
            wrap();
            match machine.seen().len() {
                seen if seen < logins => Err(seen),
                _ => Ok(()),
            }
        });
        assert_eq!(machine.seen().len(), logins);
    }
}
