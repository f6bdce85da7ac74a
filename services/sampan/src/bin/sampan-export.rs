//! `sampan-export`: the role `export` alone.

#[path = "../role_binary.rs"]
mod role_binary;

fn main() -> std::process::ExitCode {
    role_binary::serve("export")
}
