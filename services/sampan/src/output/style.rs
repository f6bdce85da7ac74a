//! Decides about colours and the width of tables: none of it when the output is not a terminal.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

use comfy_table::{Attribute, Cell, ContentArrangement, Table, presets};

/// Returns whether standard output takes colours: a terminal, and neither `NO_COLOR` nor `TERM=dumb`.
pub fn is_colourful() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        std::io::stdout().is_terminal() && !plain && !dumb
    })
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

/// Returns an empty table with a header, as wide as the terminal allows.
pub fn table<const N: usize>(header: [&str; N]) -> Table {
    // A pipe has no width: lines are left whole for grep.
    let arrangement =
        if std::io::stdout().is_terminal() { ContentArrangement::Dynamic } else { ContentArrangement::Disabled };
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(arrangement);
    let cell =
        |word: &str| if is_colourful() { Cell::new(word).add_attribute(Attribute::Bold) } else { Cell::new(word) };
    table.set_header(header.map(cell));
    table
}
