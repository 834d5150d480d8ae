//! The harness: real servers and the Go peers.
