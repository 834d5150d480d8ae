//! Where certificates come from, and which of them are sealed with.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use jiff::{SignedDuration, Timestamp};
use testkit::cli;

use super::{Pair, folder, ours, pair, read, secret};

/// A web server that answers every request with `body`; returns its address.
fn serve(status: &'static str, body: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream
                .write_all(head.as_bytes())
                .and_then(|()| stream.write_all(&body));
        }
    });
    format!("http://{address}/v1/cert.pem")
}

fn sealed_with(cert: &str) -> cli::Output {
    ours().args(["--cert", cert]).stdin(secret("db")).output()
}

#[test]
fn a_certificate_comes_from_a_file_a_file_url_or_the_web() {
    let text = read(&pair().cert);
    let url = serve("200 OK", text.clone().into_bytes());
    let file = pair().cert.display().to_string();
    for place in [file.clone(), format!("file://{file}"), url.clone()] {
        assert_eq!(
            ours().args(["--fetch-cert", "--cert", &place]).ok(),
            text,
            "{place}"
        );
        assert_eq!(sealed_with(&place).code(), 0, "{place}");
    }
    let output = sealed_with(&url);
    assert!(
        output.stderr.contains("warning: ") && output.stderr.contains("plain http"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_certificate_that_cannot_be_had_is_an_error_that_says_why() {
    let missing = serve("404 Not Found", Vec::new());
    let endless = serve("200 OK", vec![b'a'; 2 << 20]);
    for (place, words) in [
        ("/nowhere/cert.pem", "no such file or directory"),
        (missing.as_str(), "404 Not Found"),
        (endless.as_str(), "cannot fetch"),
        ("ftp://example.org/cert.pem", "unsupported protocol scheme"),
        ("file:///nowhere/cert.pem", "no such file or directory"),
    ] {
        let output = sealed_with(place);
        assert_eq!(output.code(), 1, "{place}");
        let first = output
            .stderr
            .lines()
            .find(|line| line.starts_with("error:"))
            .unwrap_or_default();
        assert!(first.contains(words), "{place}: {}", output.stderr);
    }
    let folder = folder();
    for text in ["", "garbage", &read(&pair().key)] {
        let path = folder.path().join("cert.pem");
        fs::write(&path, text).expect("written");
        let output = sealed_with(&path.display().to_string());
        assert_eq!(output.code(), 1);
        assert!(output.stderr.contains("hint: "), "{}", output.stderr);
        let body = text.lines().nth(1).unwrap_or("MII");
        assert!(!output.stderr.contains(body), "no key in a message");
    }
}

#[test]
fn an_expired_certificate_is_refused_in_the_words_of_the_original() {
    let begin = Timestamp::now() - SignedDuration::from_hours(48);
    let old = Pair::valid("expired", begin, SignedDuration::from_hours(24));
    let (by_ours, by_theirs) = (
        old.ours().stdin(secret("a")).output(),
        old.theirs().stdin(secret("a")).output(),
    );
    assert_eq!((by_ours.code(), by_theirs.code()), (1, 1));
    assert_eq!(
        by_ours.stderr.lines().next(),
        by_theirs.stderr.lines().next()
    );
    assert_eq!(
        ours().arg("--fetch-cert").arg("--cert").arg(&old.cert).ok(),
        read(&old.cert),
        "shown all the same"
    );
}

#[test]
fn a_certificate_near_its_end_before_its_begin_or_past_its_renewal_is_warned_about() {
    let (now, day) = (Timestamp::now(), 24);
    let hours = SignedDuration::from_hours;
    for (name, pair, words) in [
        (
            "ending",
            Pair::valid("ending", now, hours(20 * day)),
            "expires on",
        ),
        (
            "future",
            Pair::valid("future", now + hours(day), hours(100 * day)),
            "not yet valid",
        ),
        (
            "aged",
            Pair::valid("aged", now - hours(40 * day), hours(400 * day)),
            "40 days old",
        ),
    ] {
        let output = pair.ours().stdin(secret("a")).output();
        assert_eq!(output.code(), 0, "{name}: {output:?}");
        assert!(
            output.stderr.contains("warning: ") && output.stderr.contains(words),
            "{name}: {}",
            output.stderr
        );
    }
    let aged = Pair::valid("aged2", now - hours(40 * day), hours(400 * day));
    let output = aged
        .ours()
        .arg("--cert-renew-period=0")
        .stdin(secret("a"))
        .output();
    assert_eq!(output.stderr, "");
}

#[test]
fn a_pin_refuses_every_other_certificate() {
    let other = format!("sha256//{}", "A".repeat(43) + "=");
    let refusal = pair()
        .ours()
        .args(["--cert-pin", &other])
        .stdin(secret("a"))
        .output();
    assert_eq!(refusal.code(), 1);
    let pin = refusal
        .stderr
        .split_whitespace()
        .find(|word| word.starts_with("sha256//"))
        .expect("it says the pin");
    let both = format!("{other},{pin}");
    for args in [["--cert-pin", pin], ["--cert-pin", &both]] {
        pair().ours().args(args).stdin(secret("a")).ok();
    }
    pair()
        .ours()
        .env("SEALED_SECRETS_CERT_PIN", pin)
        .stdin(secret("a"))
        .ok();
    for args in [
        ["--cert-pin", &other, "--fetch-cert"],
        ["--cert-pin", "sha256//short", "--raw"],
    ] {
        assert_ne!(pair().ours().args(args).output().code(), 0);
    }
}
