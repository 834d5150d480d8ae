//! Certificates from a web server that has to show who it is.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    sync::Arc,
    thread,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use testkit::{
    cli,
    pki::{Authority, Identity},
};

use super::{folder, ours, pair, read, secret, theirs};

/// Whom a server of the test's own says it is.
fn config(identity: &Identity) -> Arc<ServerConfig> {
    let chain = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).expect("PEM");
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("PEM");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .expect("the key is the certificate's");
    Arc::new(config)
}

/// A web server that answers by the head of a request; returns its address.
pub(super) fn serve(
    identity: Option<&Identity>,
    answer: impl Fn(&str) -> String + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let config = identity.map(config);
    let scheme = if config.is_some() { "https" } else { "http" };
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            match &config {
                Some(config) => {
                    let connection = ServerConnection::new(Arc::clone(config)).expect("a server");
                    reply(StreamOwned::new(connection, stream), &answer);
                }
                None => reply(stream, &answer),
            }
        }
    });
    format!("{scheme}://{address}")
}

/// Serves the certificate, or what stands in its place.
fn serve_cert(identity: Option<&Identity>, answer: String) -> String {
    serve(identity, move |_| answer.clone()) + "/cert.pem"
}

/// Whoever hangs up before the answer is free to.
fn reply<S: Read + Write>(mut stream: S, answer: impl Fn(&str) -> String) {
    let mut request = [0; 4096];
    let _ = stream
        .read(&mut request)
        .map(|length| answer(&String::from_utf8_lossy(&request[..length])))
        .and_then(|answer| stream.write_all(answer.as_bytes()))
        .and_then(|()| stream.flush());
}

fn found(text: &str) -> String {
    let length = text.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}")
}

fn moved(to: &str) -> String {
    format!(
        "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
}

fn fetch(client: cli::Run, trusted: &Path, url: &str) -> cli::Output {
    client
        .env("SSL_CERT_FILE", trusted)
        .args(["--fetch-cert", "--cert", url])
        .output()
}

fn refused(output: &cli::Output, words: &str) {
    assert_eq!(output.code(), 1, "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    assert!(output.stderr.contains(words), "{words}: {}", output.stderr);
    assert!(output.stderr.contains("hint: "), "{}", output.stderr);
}

#[test]
fn a_certificate_comes_over_https_from_a_server_that_is_trusted() {
    let (folder, text) = (folder(), read(&pair().cert));
    let authority = Authority::new("ours");
    let trusted = folder.path().join("ca.pem");
    fs::write(&trusted, authority.certificate()).expect("written");
    let other = folder.path().join("other.pem");
    fs::write(&other, Authority::new("other").certificate()).expect("written");
    let url = serve_cert(Some(&authority.server(&[])), found(&text));
    for client in [ours, theirs] {
        assert_eq!(fetch(client(), &trusted, &url).text(), text);
    }
    let sealed = ours()
        .env("SSL_CERT_FILE", &trusted)
        .args(["--cert", &url])
        .stdin(secret("db"))
        .output();
    assert_eq!((sealed.code(), sealed.stderr.as_str()), (0, ""));
    assert_eq!(fetch(theirs(), &other, &url).code(), 1);
    refused(&fetch(ours(), &other, &url), "is of an unknown authority");
    let named = url.replace("127.0.0.1", "localhost");
    assert_eq!(fetch(ours(), &trusted, &named).text(), text);
    let elsewhere = serve_cert(Some(&authority.client("nobody", &[])), found(&text));
    refused(&fetch(ours(), &trusted, &elsewhere), "certificate");
}

#[test]
fn a_redirect_does_not_lead_from_https_to_http() {
    let (folder, text) = (folder(), read(&pair().cert));
    let authority = Authority::new("ours");
    let trusted = folder.path().join("ca.pem");
    fs::write(&trusted, authority.certificate()).expect("written");
    let identity = authority.server(&[]);
    let plain = serve_cert(None, found(&text));
    let safe = serve_cert(Some(&identity), found(&text));
    let to_plain = serve_cert(Some(&identity), moved(&plain));
    assert_eq!(fetch(theirs(), &trusted, &to_plain).text(), text);
    refused(
        &fetch(ours(), &trusted, &to_plain),
        &format!("it redirects to {plain}, which is not https"),
    );
    for from in [Some(&identity), None] {
        let url = serve_cert(from, moved(&safe));
        assert_eq!(fetch(ours(), &trusted, &url).text(), text, "{url}");
    }
}
