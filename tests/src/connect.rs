//! Stands in for the pod network: the API server asks it for a pod's address and gets a local port.

use std::{
    collections::HashMap,
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpStream},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    sync::{Arc, Mutex},
    thread,
};

/// Which local port answers for a pod's `address:port`.
#[derive(Clone, Default)]
pub(crate) struct Routes(Arc<Mutex<HashMap<String, u16>>>);

impl Routes {
    /// Sends `pod` (`address:port`) to `local` from now on.
    pub(crate) fn set(&self, pod: String, local: u16) {
        self.0.lock().expect("no holder panics").insert(pod, local);
    }

    fn find(&self, pod: &str) -> Option<u16> {
        self.0.lock().expect("no holder panics").get(pod).copied()
    }
}

/// Answers HTTP CONNECT on the unix socket `path` for as long as this process lives.
pub(crate) fn serve(path: &Path, routes: Routes) -> io::Result<()> {
    let listener = UnixListener::bind(path)?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let routes = routes.clone();
            // A caller that goes away is no one's error.
            thread::spawn(move || drop(tunnel(client, &routes)));
        }
    });
    Ok(())
}

fn tunnel(client: UnixStream, routes: &Routes) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let pod = requested(&mut reader)?;
    let mut client = client;
    let Some(server) = routes
        .find(&pod)
        .and_then(|port| TcpStream::connect(("127.0.0.1", port)).ok())
    else {
        return client.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n");
    };
    client.write_all(b"HTTP/1.1 200 Connection Established\r\n\r\n")?;
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    let mut to_server = &server;
    let _ = io::copy(&mut reader, &mut to_server);
    server.shutdown(Shutdown::Both)
}

/// Reads the head of the request and returns whom it asks for.
fn requested(reader: &mut impl BufRead) -> io::Result<String> {
    let mut head = String::new();
    let mut reader = reader.take(16 * 1024);
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head.split(' ').nth(1).unwrap_or_default().to_owned())
}
