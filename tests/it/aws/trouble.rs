//! What goes wrong is said in time, with the right exit code, and nothing is written.

use std::time::{Duration, Instant};

use keys::Env;
use keys::backend;
use keys::master_key::{Fields, Wrapped};
use testkit::pki::Authority;
use testkit::{aws::Aws, ports};

use super::desk::{BOTH, Desk, TEXT, Whose};
use super::stub_of_kms::{KEY, Stub, actions, answer, obedient, obey, refusal};

/// A document with a key of the stubs.
fn closed() -> String {
    let stub = obedient();
    let desk = Desk::at(&stub.address);
    assert!(desk.encrypt(KEY).status.success());
    desk.read("a.yaml")
}

#[test]
fn what_kms_refuses_is_said_and_nothing_is_written() {
    let closed = closed();
    let gone = "arn is disabled.";
    for (text, words) in [
        (
            refusal("400 Bad Request", "DisabledException", gone),
            "DisabledException: arn is disabled.",
        ),
        (
            refusal(
                "400 Bad Request",
                "KMSInvalidStateException",
                "pending deletion",
            ),
            "KMSInvalidStateException: pending deletion (somebody has to enable the key)",
        ),
        (
            refusal("400 Bad Request", "ExpiredTokenException", "it expired"),
            "(the credentials are over: log in again",
        ),
        (
            refusal(
                "400 Bad Request",
                "AccessDeniedException",
                "not \u{1b}[31myou secret-of-tests",
            ),
            "not [31myou … (no policy allows it",
        ),
        (
            answer("200 OK", "no json"),
            "the answer is not what AWS answers",
        ),
        (answer("200 OK", "{}"), "the answer holds no"),
        (
            answer(
                "200 OK",
                "{\"Plaintext\": \"?\", \"CiphertextBlob\": \"?\"}",
            ),
            "the answer is not what AWS answers",
        ),
        (answer("403 Forbidden", "<html>a proxy</html>"), "403"),
        (
            answer("200 OK", &"x".repeat(2 << 20)),
            "the answer is too long for a key service",
        ),
    ] {
        let stub = Stub::start(move |_, _| text.clone());
        let desk = Desk::at(&stub.address);
        desk.refuses(
            &["encrypt", "-i", "--kms", KEY, "a.yaml"],
            1,
            &[words, "kms:Encrypt"],
        );
        desk.write("a.yaml", &closed);
        let decrypt = ["decrypt", "a.yaml"];
        desk.refuses(&decrypt, 128, &[words, "kms:Decrypt"]);
        assert_eq!(desk.sops(Whose::Theirs, &decrypt).output().code(), 128);
    }
}

#[test]
fn no_redirection_is_followed() {
    let elsewhere = obedient();
    let place = elsewhere.address.clone();
    let stub = Stub::start(move |_, _| {
        format!(
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: {place}/x?y=z\r\ncontent-length: 0\r\n\r\n"
        )
    });
    let desk = Desk::at(&stub.address);
    let words = format!("sends to {}/x; nothing is sent there", elsewhere.address);
    desk.refuses(&["encrypt", "-i", "--kms", KEY, "a.yaml"], 1, &[&words]);
    assert!(elsewhere.seen().is_empty());
    assert_eq!(stub.seen().len(), 1);
}

#[test]
fn what_passes_is_tried_again() {
    let throttled = || refusal("400 Bad Request", "ThrottlingException", "Rate exceeded");
    let broken = || answer("500 Internal Server Error", "{}");
    for whose in BOTH {
        let stub = Stub::start(move |number, asked| match number {
            0 => throttled(),
            2 => broken(),
            _ => obey(asked),
        });
        let desk = Desk::at(&stub.address);
        desk.sops(whose, &["encrypt", "-i", "--kms", KEY, "a.yaml"])
            .ok();
        desk.sops(whose, &["decrypt", "a.yaml"]).ok();
        assert_eq!(actions(&stub), ["Encrypt", "Encrypt", "Decrypt", "Decrypt"]);
    }
}

#[test]
fn a_region_that_has_no_time_is_left_alone_whoever_asks() {
    let closed = closed();
    let stub =
        Stub::start(|_, _| refusal("400 Bad Request", "ThrottlingException", "Rate exceeded"));
    let desk = Desk::at(&stub.address).with("AWS_MAX_ATTEMPTS", "2");
    for copy in 0..40 {
        desk.write(
            &format!("tree/{copy}.yaml"),
            &closed.replace("enc: ", &format!("enc: {copy:04}")),
        );
    }
    let output = desk.kubeseal(&["decrypt", "--dry-run", "tree"]).output();
    assert_eq!(output.code(), 1);
    assert!(
        output.stderr.contains("ThrottlingException: Rate exceeded"),
        "{}",
        output.stderr
    );
    // As many as ask at once try, and no others.
    assert!(stub.seen().len() <= 16, "{}", stub.seen().len());
}

#[test]
fn who_does_not_answer_is_given_up_in_time() {
    let closed = closed();
    let nobody = format!("http://127.0.0.1:{}", ports::free());
    let desk = Desk::at(&nobody);
    desk.write("a.yaml", &closed);
    let began = Instant::now();
    desk.refuses(&["decrypt", "a.yaml"], 128, &["Connection refused"]);
    assert!(began.elapsed() < Duration::from_secs(60));
    // What is silent: here with less time than people have.
    for silent in ["", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"] {
        let stub = Stub::start(move |_, _| silent.to_owned());
        let key = Fields::default().with("arn", KEY);
        let key = backend::load("kms", &key).expect("a key");
        let env = Env::from([
            ("AWS_ENDPOINT_URL", stub.address.as_str()),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret-of-tests"),
        ]);
        let env = env.with_time_limit(Duration::from_millis(500));
        let wrapped = Wrapped {
            enc: "AAAA".to_owned(),
            created_at: None,
        };
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().expect("a runtime");
        let began = Instant::now();
        let ask = || {
            runtime
                .block_on(key.unwrap_key(&wrapped, &env))
                .expect_err("nobody answers")
        };
        let said = ask().to_string();
        assert!(began.elapsed() < Duration::from_secs(20));
        if silent.is_empty() {
            assert_eq!(said, "kms:Decrypt in eu-west-1: no answer in 0.5 s");
        }
        let again = Instant::now();
        let said = ask().to_string();
        assert!(said.contains("so it is left alone for a while"), "{said}");
        assert!(again.elapsed() < Duration::from_millis(400));
    }
}

#[test]
fn certificates_are_checked_against_the_authority_that_is_named() {
    let authority = Authority::new("of the cloud");
    let aws = Aws::start_with(&authority.server(&[]));
    let desk = Desk::at(&aws.address);
    let key = KEY;
    let refused = ["encrypt", "-i", "--kms", key, "a.yaml"];
    desk.refuses(
        &refused,
        1,
        &["invalid peer certificate: UnknownIssuer (AWS_CA_BUNDLE names"],
    );
    desk.write("authority.pem", &authority.certificate());
    desk.write("stranger.pem", &Authority::new("stranger").certificate());
    desk.write("empty.pem", "");
    for (file, words) in [
        ("authority.pem", "NotFoundException"),
        ("stranger.pem", "UnknownIssuer"),
        (
            "empty.pem",
            "AWS_CA_BUNDLE: empty.pem: it holds no certificate in PEM",
        ),
        ("nowhere.pem", "AWS_CA_BUNDLE: nowhere.pem: No such file"),
    ] {
        let args = ["encrypt", "-i", "--kms", key, "a.yaml"];
        let run = desk.sops(Whose::Ours, &args).env("AWS_CA_BUNDLE", file);
        let output = run.output();
        assert_eq!(output.code(), 1);
        assert!(output.stderr.contains(words), "{file}: {}", output.stderr);
        let theirs = desk.sops(Whose::Theirs, &args).env("AWS_CA_BUNDLE", file);
        assert_eq!(theirs.output().code(), 1);
        assert_eq!(desk.read("a.yaml"), TEXT);
    }
}
