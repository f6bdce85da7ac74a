//! `sampan-copy`: the role `copy` alone.

#[path = "../role_binary.rs"]
mod role_binary;

fn main() -> std::process::ExitCode {
    role_binary::serve("copy")
}
