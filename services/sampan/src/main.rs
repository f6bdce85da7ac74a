//! The `sampan` binary.

use std::process::ExitCode;

/// A request makes many small allocations on one thread that another thread may free: what this allocator is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    sampan::main()
}
