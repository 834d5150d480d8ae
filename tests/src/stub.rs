//! A small HTTP server for contracts of services that no machine can run: it is told what to say to each call.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::pki::Identity;

/// A running server. It ends with the process.
pub struct Stub {
    /// Where it listens: `http://127.0.0.1:…`.
    pub address: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

/// What was asked.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, without what follows a question mark.
    pub path: String,
    /// What follows the question mark.
    pub query: String,
    /// Names in small letters, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What is said to that.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A status, more headers, and a body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// These bytes, whatever they are.
    Raw(Vec<u8>),
    /// Nothing: the connection stays open.
    Silence,
}

impl Reply {
    /// A status and JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::Answer(status, Vec::new(), body.to_string())
    }
}

impl Request {
    /// A header by its name in small letters; empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        let header = self.headers.iter().find(|(found, _)| found == name);
        header.map_or("", |(_, value)| value)
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// A field of a form; empty if it is missing.
    pub fn form(&self, name: &str) -> String {
        let body = String::from_utf8_lossy(&self.body).into_owned();
        let fields = body.split('&').filter_map(|field| field.split_once('='));
        let mut fields = fields.filter(|(found, _)| unescaped(found) == name);
        fields
            .next()
            .map_or_else(String::new, |(_, value)| unescaped(value))
    }
}

impl Stub {
    /// Starts a server that says what `answer` makes of each request.
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(None, answer)
    }

    /// As [`Stub::start`], with a certificate.
    pub fn start_with(
        identity: &Identity,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let chain = CertificateDer::pem_slice_iter(identity.certificate.as_bytes());
        let chain: Result<_, _> = chain.collect();
        let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_no_client_auth()
            .with_single_cert(chain.expect("a certificate"), key)
            .expect("the key is that of the certificate");
        Self::listen(Some(Arc::new(config)), answer)
    }

    fn listen(
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let place = listener.local_addr().expect("it is bound");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (calls, answer) = (seen.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, calls, answer) = (tls.clone(), calls.clone(), answer.clone());
                thread::spawn(move || serve(stream, tls, &calls, &*answer));
            }
        });
        Self {
            address: format!("{scheme}://{place}"),
            seen,
        }
    }

    /// What was asked so far.
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().expect("no holder panics").clone()
    }

    /// How many of the paths asked for end so.
    pub fn calls(&self, end: &str) -> usize {
        let seen = self.seen();
        seen.iter()
            .filter(|asked| asked.path.ends_with(end))
            .count()
    }
}

/// One connection, one answer. Whoever goes away early is no concern of ours.
fn serve(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    calls: &Mutex<Vec<Request>>,
    answer: &(dyn Fn(&Request) -> Reply + Send + Sync),
) {
    match tls {
        None => talk(&stream, calls, answer),
        Some(config) => {
            let connection = ServerConnection::new(config).expect("the configuration is whole");
            let Ok(raw) = stream.try_clone() else { return };
            let mut stream = StreamOwned::new(connection, raw);
            talk(&mut stream, calls, answer);
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    }
    let _ = stream.shutdown(Shutdown::Write);
}

fn talk(
    mut stream: impl Read + Write,
    calls: &Mutex<Vec<Request>>,
    answer: &(dyn Fn(&Request) -> Reply + Send + Sync),
) {
    let Some(asked) = read(&mut stream) else {
        return;
    };
    calls.lock().expect("no holder panics").push(asked.clone());
    let bytes = match answer(&asked) {
        Reply::Raw(bytes) => bytes,
        Reply::Silence => loop {
            // The caller has to give up.
            thread::park();
        },
        Reply::Answer(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} Status\r\nconnection: close\r\n");
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
        }
    };
    let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
}

fn read(stream: &mut impl Read) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let method = words.next()?.to_owned();
    let target = words.next()?.to_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut request = Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        ..Request::default()
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let value = value.trim().to_owned();
        request.headers.push((name.to_ascii_lowercase(), value));
    }
    let length = request.header("content-length").parse().unwrap_or(0);
    request.body = vec![0; length];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

/// Text of a form or of a path.
pub fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let digits = String::from_utf8_lossy(&digits).into_owned();
                u8::from_str_radix(&digits, 16).unwrap_or(b'?')
            }
            byte => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
