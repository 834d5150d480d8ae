//! What programs that open documents need of their own process. The libraries need none of it.

pub mod memory;
pub mod parallel;
pub mod wait;
