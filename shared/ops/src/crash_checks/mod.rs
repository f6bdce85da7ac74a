//! x

/// Halt.
#[derive(Debug, Clone)]
pub struct Halt;
pub(crate) async fn halt_after_announcement(_: Option<&Halt>) {}
