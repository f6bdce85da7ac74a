//! Decides which words a pattern matches: `*` stands for any run of characters, everything else for itself.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A word with wildcards, such as `images-*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// Makes a pattern of its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the whole of `word` matches.
    pub fn matches(&self, word: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return self.0 == word };
        let Some(mut left) = word.strip_prefix(first) else { return false };
        let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        // The earliest place of each part leaves the most for those behind it.
        for part in middle.split('*').filter(|part| !part.is_empty()) {
            let Some((_, behind)) = left.split_once(part) else { return false };
            left = behind;
        }
        left.ends_with(last)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_and_nothing_else_does() {
        let yes = [("*", ""), ("*", "a/b"), ("a*", "a"), ("*a", "ba"), ("a*c*e", "abcde"), ("a**b", "ab"), ("x", "x")];
        for (pattern, word) in yes {
            assert!(Pattern::new(pattern).matches(word), "{pattern} {word}");
        }
        let no = [("", "a"), ("a*", "ba"), ("*a", "ab"), ("a*a", "a"), ("a*c*e", "aebd"), ("x", "X"), ("a?", "ab")];
        for (pattern, word) in no {
            assert!(!Pattern::new(pattern).matches(word), "{pattern} {word}");
        }
    }
}
