//! Becomes `sampan serve` with one role: the same composition, so that a role alone and all roles in one process never
//! differ, and four further copies of the whole program need not be linked and shipped.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Replaces this process by `sampan serve --roles ROLE`, with the arguments that it was given. Returns only when that
/// fails.
pub(crate) fn serve(role: &str) -> ExitCode {
    let program = sampan();
    let error = Command::new(&program).args(["serve", "--roles", role]).args(std::env::args_os().skip(1)).exec();
    eprintln!("error: {} cannot be started: {error}", program.display());
    eprintln!("put `sampan` beside this program, or into a folder of PATH");
    ExitCode::FAILURE
}

/// The program beside this one, as all are installed together; else the one of the search path.
fn sampan() -> PathBuf {
    let beside = std::env::current_exe().ok().map(|this| this.with_file_name("sampan"));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(OsStr::new("sampan")))
}
