//! Facts of the embedded backend: the conformance suite in memory and on a file, and what no other backend has.

mod conformance;
