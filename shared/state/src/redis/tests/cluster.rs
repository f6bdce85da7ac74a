//! Facts of a cluster.
