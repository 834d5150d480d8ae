//! The client binary, `kubeseal`.

fn main() {}
