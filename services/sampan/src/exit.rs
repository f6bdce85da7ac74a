//! Decides the exit code of the program; scripts rely on the numbers.

use std::process::ExitCode;

/// Why the program ends, as a number for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything that was asked for is done.
    Done,
    /// The operation failed, or a check of the demo did.
    Failed,
    /// The command line or the configuration is wrong.
    Usage,
    /// The request was refused: a rule is broken or something does not exist.
    Refused,
    /// The day's quota is spent.
    QuotaSpent,
    /// A server, a cloud or the store could not be reached.
    Unavailable,
    /// Some targets of the operation succeeded, others did not.
    PartlyDone,
    /// The operation was cancelled.
    Cancelled,
    /// A person pressed Ctrl-C; the operation goes on.
    Interrupted,
    /// Whoever read the output has closed it.
    Unread,
}

/// The table of codes, for the help text.
pub const TABLE: &str = "\
Exit codes:
  0    done
  1    the operation failed
  2    wrong command line or configuration
  3    refused: a rule is broken, or something does not exist
  4    the day's quota is spent
  5    a server, a cloud or the store cannot be reached
  6    partly done: some targets succeeded, others failed
  7    the operation was cancelled
  130  interrupted by Ctrl-C; a started operation goes on
  141  whoever read the output closed it; a started operation goes on";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Refused => 3,
            Exit::QuotaSpent => 4,
            Exit::Unavailable => 5,
            Exit::PartlyDone => 6,
            Exit::Cancelled => 7,
            Exit::Interrupted => 130,
            Exit::Unread => 141,
        })
    }
}
