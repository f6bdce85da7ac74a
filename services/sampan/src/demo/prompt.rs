//! Decides how a command is shown: as one would type it, and on lines that fit and can still be pasted.

use super::say;
use crate::client::Failure;
use crate::output::style;

/// Columns by which the further lines of a command are indented.
const INDENT: &str = "    ";

/// Prints a command of the program, given without its name.
pub(super) fn prompt(command: &str) -> Result<(), Failure> {
    let lines = folded(&format!("$ sampan {command}"), style::width());
    lines.iter().try_for_each(|line| say(&style::faint(line)))
}

/// Breaks a command before its options, with the mark that a shell wants; without a width it stays one line.
fn folded(command: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width.filter(|width| command.chars().count() > *width) else { return vec![command.to_owned()] };
    let mut lines = Vec::new();
    let mut parts = command.split(" --");
    let mut current = parts.next().unwrap_or_default().to_owned();
    for option in parts {
        // The mark needs two columns, and an option three for its own beginning.
        if current.chars().count() + option.chars().count() + 5 > width {
            lines.push(std::mem::replace(&mut current, format!("{INDENT}--{option}")) + " \\");
        } else {
            current = format!("{current} --{option}");
        }
    }
    lines.push(current);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_command_is_broken_before_an_option_as_a_shell_wants_it() {
        let command = "$ sampan copy --cloud tencent --image img-1 --to one";
        assert_eq!(folded(command, Some(80)), [command]);
        assert_eq!(folded(command, None), [command]);
        let lines = folded(command, Some(40));
        assert_eq!(lines, ["$ sampan copy --cloud tencent \\", "    --image img-1 --to one"]);
        let typed: Vec<&str> = lines.iter().map(|line| line.trim_end_matches('\\').trim()).collect();
        assert_eq!(typed.join(" "), command, "a shell reads the same");
    }
}
