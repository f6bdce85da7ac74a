//! The `sampan` binary: roles, wiring, command line, demo.
#![allow(unreachable_pub, reason = "a binary has no other crate to reach; `pub` says what a module offers the others")]

mod cli;
mod client;
mod commands;
mod config;
mod demo;
mod download;
mod exit;
mod output;
mod run;
mod serve;
mod simulate;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

/// A request makes many small allocations on one thread that another thread may free: what this allocator is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    run::main(cli::Cli::parse()).into()
}
