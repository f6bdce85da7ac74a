//! Prints figures of speed and memory, each beside a bare baseline of the same kind.

fn main() {}
