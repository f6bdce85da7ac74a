//! What the `sampan` binary does: roles, wiring, command line, demo.
//!
//! It is a library for one reason: what reads foreign bytes in here can be fuzzed.
#![allow(
    unreachable_pub,
    reason = "no other crate reaches more than `main`; `pub` says what a module offers the others"
)]

mod cli;
mod client;
mod commands;
mod config;
mod demo;
mod download;
mod exit;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod output;
mod run;
mod serve;
mod simulate;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

/// Does what the command line of this process asks for, and returns how it ended.
pub fn main() -> ExitCode {
    run::main(cli::Cli::parse()).into()
}
