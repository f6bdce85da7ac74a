//! Facts of a failover by Sentinel.
