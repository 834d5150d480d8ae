//! Free ports on the loopback address.

use std::{
    fs::{self, File},
    net::TcpListener,
    process,
    sync::{
        Mutex,
        atomic::{AtomicU16, Ordering},
    },
};

use crate::cache;

/// Below the range that Linux gives to outgoing connections, so nobody takes a port while its server restarts.
const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;

/// A port on 127.0.0.1 that nobody listens on, and that no other call, in any test process, gets while this one lives.
pub fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    static HELD: Mutex<Vec<File>> = Mutex::new(Vec::new());
    let folder = cache::folder().join("ports");
    fs::create_dir_all(&folder).expect("the cache folder can be written");
    let start = (process::id() as u16).wrapping_mul(31);
    for _ in 0..COUNT {
        let port = FIRST + start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let file =
            File::create(folder.join(port.to_string())).expect("the ports folder can be written");
        if file.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            HELD.lock().expect("no holder panics").push(file);
            return port;
        }
    }
    panic!(
        "no free port on 127.0.0.1 between {FIRST} and {}",
        FIRST + COUNT
    );
}
