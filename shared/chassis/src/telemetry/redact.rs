//! Takes secrets out of log lines on their way out: the last of several defences, not the first.
//!
//! What must not be logged is not handed to the log in the first place; this catches what slips in through the text
//! of somebody else's error, such as a signed URL.

use std::borrow::Cow;
use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// Beginnings after which a secret follows; matched without regard to case.
const BEFORE_SECRETS: [&str; 9] = [
    "signature=",
    "security-token=",
    "securitytoken=",
    "q-ak=",
    "accesskeyid=",
    "x-oss-credential=",
    "accesskeysecret=",
    "authorization: ",
    "bearer ",
];

/// Returns `line` with the values of signatures, tokens and keys replaced by [`MASK`].
pub fn redact(line: &str) -> Cow<'_, str> {
    // Lower-casing ASCII keeps every byte position.
    let lower = line.to_ascii_lowercase();
    let mut clean = String::new();
    let mut from = 0;
    while let Some(start) = next_secret(&lower, from) {
        let length = line[start..].find(ends_value).unwrap_or(line.len() - start);
        clean.push_str(&line[from..start]);
        clean.push_str(MASK);
        from = start + length;
    }
    if from == 0 {
        return Cow::Borrowed(line);
    }
    clean.push_str(&line[from..]);
    Cow::Owned(clean)
}

fn next_secret(lower: &str, from: usize) -> Option<usize> {
    BEFORE_SECRETS.iter().filter_map(|word| lower[from..].find(word).map(|at| from + at + word.len())).min()
}

fn ends_value(c: char) -> bool {
    matches!(c, '&' | '"' | '\'' | ' ' | '\n' | '\\' | ')' | '>' | ',')
}

/// Makes writers that redact every line of `W`.
#[derive(Debug)]
pub struct Redacting<W>(W);

impl<W> Redacting<W> {
    /// Wraps the writers of `inner`.
    pub fn new(inner: W) -> Self {
        Self(inner)
    }
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Redacting<W> {
    type Writer = RedactingWriter<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        RedactingWriter(self.0.make_writer())
    }
}

/// Redacts what is written; a subscriber writes whole lines.
#[derive(Debug)]
pub struct RedactingWriter<W>(W);

impl<W: Write> Write for RedactingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.0.write_all(redact(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_tokens_and_keys_of_signed_urls_are_masked() {
        let cos = "GET https://b-1.cos.ap-guangzhou.myqcloud.com/k?q-sign-algorithm=sha1&q-ak=AKIDz8&q-signature=1b6e6e failed";
        assert_eq!(
            redact(cos),
            "GET https://b-1.cos.ap-guangzhou.myqcloud.com/k?q-sign-algorithm=sha1&q-ak=***&q-signature=*** failed"
        );
        let oss = r#"{"url":"https://b.oss-cn-hangzhou.aliyuncs.com/k?x-oss-credential=LTAI%2F2024&x-oss-signature=10b5","a":1}"#;
        assert_eq!(
            redact(oss),
            r#"{"url":"https://b.oss-cn-hangzhou.aliyuncs.com/k?x-oss-credential=***&x-oss-signature=***","a":1}"#
        );
        assert_eq!(redact("Signature=p5tm&security-token=TKN"), "Signature=***&security-token=***");
    }

    #[test]
    fn lines_without_secrets_are_left_alone() {
        assert!(matches!(redact("call ended grpc.code=Ok elapsed_ms=3"), Cow::Borrowed(_)));
    }
}
