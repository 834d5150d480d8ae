//! HTTP as bytes on a socket: to send what no client would, and to see every header.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

/// What came back.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// Sends a whole request and reads the whole answer.
pub(crate) fn request(port: u16, method: &str, path: &str, body: String) -> Answer {
    let head = format!("Content-Length: {}\r\n", body.len());
    request_with(port, method, path, &head, &body)
}

/// Like [`request`], with lines for the head; a `Content-Length` is added if they say nothing of the length.
pub(crate) fn request_with(port: u16, method: &str, path: &str, head: &str, body: &str) -> Answer {
    let length = if head.contains("Content-Length") || head.contains("Transfer-Encoding") {
        String::new()
    } else {
        format!("Content-Length: {}\r\n", body.len())
    };
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}{length}\r\n{body}"
    );
    let opened = open(port, &text);
    let mut answer = answer(opened);
    answer.headers.remove("connection");
    answer
}

/// Opens a connection and sends something.
pub(crate) fn open(port: u16, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
    // Who is refused early may not read all of it.
    let _ = stream.write_all(text.as_bytes());
    stream
}

/// Reads the answer up to the end of the connection; status 0 if there is none.
pub(crate) fn answer(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        assert!(bytes.is_empty(), "half an answer ({read:?}): {text:?}");
        return Answer::default();
    };
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": "));
    Answer {
        status: status.expect("a status line"),
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}

/// Whether the other side closes the connection in time.
pub(crate) fn ends(mut stream: TcpStream, patience: Duration) -> bool {
    let _ = stream.set_read_timeout(Some(patience));
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}
