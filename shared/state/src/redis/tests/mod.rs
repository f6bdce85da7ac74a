//! Facts of the Redis backend: the conformance suite, and what no other backend has.

mod conformance;
mod server;
