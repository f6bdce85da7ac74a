//! Decides about colours and widths: none of it when the output is not a terminal.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

pub use super::table::table;

/// Narrowest terminal that text is laid out for.
const NARROWEST: usize = 40;

/// Returns whether standard output takes colours: a terminal, and neither `NO_COLOR` nor `TERM=dumb`.
pub fn is_colourful() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        std::io::stdout().is_terminal() && !plain && !is_dumb()
    })
}

/// Returns whether lines on standard error can be drawn again: a terminal that moves its cursor.
pub fn is_redrawable() -> bool {
    std::io::stderr().is_terminal() && !is_dumb()
}

/// Returns the columns of the terminal; `None` for a pipe, whose lines are left whole for grep.
pub fn width() -> Option<usize> {
    let (_, columns) = console::Term::stdout().size_checked()?;
    std::io::stdout().is_terminal().then(|| usize::from(columns).max(NARROWEST))
}

/// Returns the columns of the terminal that errors are written to; `None` for a pipe.
pub fn error_width() -> Option<usize> {
    let (_, columns) = console::Term::stderr().size_checked()?;
    std::io::stderr().is_terminal().then(|| usize::from(columns).max(NARROWEST))
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

fn paint(text: &str, code: &str) -> String {
    if is_colourful() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

/// Returns `text` as a heading.
pub fn bold(text: &str) -> String {
    paint(text, "1")
}

/// Returns `text` as good news.
pub fn good(text: &str) -> String {
    paint(text, "32")
}

/// Returns `text` as bad news.
pub fn bad(text: &str) -> String {
    paint(text, "31")
}

/// Returns `text` as something to notice.
pub fn notice(text: &str) -> String {
    paint(text, "33")
}

/// Returns `text` as less important.
pub fn faint(text: &str) -> String {
    paint(text, "2")
}
