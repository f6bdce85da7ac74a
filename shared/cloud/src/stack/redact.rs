//! Removes from a vendor's text what nobody may read in a log: signatures, tokens, key ids, signed addresses.

/// Longest message that is kept, in characters.
const LONGEST: usize = 500;
/// What stands in the place of a secret.
const HIDDEN: &str = "<hidden>";
/// A run of letters and digits from this length on is taken for a signature, a key or a token.
const SECRET_RUN: usize = 40;
/// Vendors echo the text that they signed after these words; everything that follows is cut.
const ECHOES: [&str; 5] =
    ["string to sign", "stringtosign", "canonical request", "canonicalrequest", "signature provided"];
/// What key ids of the two vendors begin with, and the least length of one.
const KEY_IDS: [(&str, usize); 4] = [("AKID", 13), ("LTAI", 12), ("STS.", 12), ("TMP.", 12)];
/// Endings of names whose value is a secret, without separators and in lower case.
const SECRET_NAMES: [&str; 12] = [
    "signature",
    "token",
    "secret",
    "secretid",
    "secretkey",
    "accesskeyid",
    "accesskeysecret",
    "ossaccesskeyid",
    "credential",
    "authorization",
    "qak",
    "password",
];

/// Returns `text` without secrets, on one line, at most 500 characters long.
///
/// Cuts the echo of a signed text, the query of every address, values of names such as `Signature` or `token`,
/// key ids, and long runs of letters and digits.
pub fn scrub(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let kept = match echo_at(&line) {
        Some(at) => format!("{}{HIDDEN}", &line[..at]),
        None => line,
    };
    let words = kept.split_whitespace().map(scrub_word).collect::<Vec<_>>();
    hide_after_names(words).join(" ").chars().take(LONGEST).collect()
}

/// Returns where an echoed text begins, after the words that announce it.
fn echo_at(line: &str) -> Option<usize> {
    // ASCII lower case keeps byte positions.
    let lower = line.to_ascii_lowercase();
    ECHOES.iter().filter_map(|words| lower.find(words).map(|at| at + words.len())).min()
}

/// Hides the word after a word such as `Token:` that names a secret and ends with the separator.
fn hide_after_names(words: Vec<String>) -> Vec<String> {
    let mut hide_next = false;
    words
        .into_iter()
        .map(|word| {
            let hidden = std::mem::replace(&mut hide_next, names_a_value(&word));
            if hidden { HIDDEN.to_owned() } else { word }
        })
        .collect()
}

fn names_a_value(word: &str) -> bool {
    word.strip_suffix([':', '=']).is_some_and(is_secret_name)
}

fn scrub_word(word: &str) -> String {
    let without_query = match word.split_once('?') {
        Some((address, query)) if query.contains('=') => return format!("{}?{HIDDEN}", scrub_word(address)),
        _ => word,
    };
    // Pairs inside of one word: `a=b&c=d`, `Credential=…,`, `"Token":"…"`.
    let mut clean = String::with_capacity(without_query.len());
    let mut name = String::new();
    for piece in without_query.split_inclusive(['&', ',', ';', '=', ':', '"', '\'', '(', ')', '<', '>', '/']) {
        let (value, mark) = piece.split_at(piece.trim_end_matches(is_mark).len());
        if value.is_empty() {
            clean.push_str(mark);
            continue;
        }
        let secret = is_secret_name(&name) || is_key_id(value) || is_long_run(value);
        clean.push_str(if secret { HIDDEN } else { value });
        clean.push_str(mark);
        value.clone_into(&mut name);
    }
    clean
}

fn is_mark(c: char) -> bool {
    matches!(c, '&' | ',' | ';' | '=' | ':' | '"' | '\'' | '(' | ')' | '<' | '>' | '/')
}

fn is_secret_name(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    SECRET_NAMES.iter().any(|secret| plain.ends_with(secret))
}

fn is_key_id(value: &str) -> bool {
    KEY_IDS.iter().any(|(start, least)| value.len() >= *least && value.starts_with(start))
}

fn is_long_run(value: &str) -> bool {
    let mut run = 0;
    value.chars().any(|c| {
        run = if c.is_ascii_alphanumeric() || c == '+' || c == '%' { run + 1 } else { 0 };
        run >= SECRET_RUN
    })
}

#[cfg(test)]
mod tests {
    use super::scrub;

    #[test]
    fn an_echoed_string_to_sign_is_cut() {
        let text = "Specified signature is not matched with our calculation. server string to sign is:POST\n/\n\n\
                    x-acs-accesskey-id:LTAI5tABCDEFGHIJ\nhost:ecs.aliyuncs.com";
        let clean = scrub(text);
        assert_eq!(clean, "Specified signature is not matched with our calculation. server string to sign<hidden>");
    }

    #[test]
    fn key_ids_tokens_and_signatures_are_hidden_wherever_they_stand() {
        for text in [
            "The SecretId AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE is not found",
            "The OSS Access Key Id LTAI5tABCDEFGHIJ does not exist",
            "key STS.NTABCDEFGHIJKL is expired",
            "Signature=e7679f0818fdc13a5b9b78ab2716342682045b88be3fe5f15002f3e1a81993f6",
            "\"Token\":\"abc123\"",
            "Token: abc123 is wrong",
            "q-ak=abc123&q-signature=def456",
            "digest e7679f0818fdc13a5b9b78ab2716342682045b88be3fe5f15002f3e1a81993f6 given",
        ] {
            let clean = scrub(text);
            assert!(clean.contains("<hidden>"), "{clean}");
            for secret in ["AKIDz8", "LTAI5t", "STS.NT", "e7679f", "abc123", "def456"] {
                assert!(!clean.contains(secret), "{clean}");
            }
        }
    }

    #[test]
    fn the_query_of_an_address_is_hidden_and_its_path_stays() {
        let clean = scrub("GET https://b-125.cos.ap-guangzhou.myqcloud.com/k.raw?q-sign-time=1;2&x=y failed");
        assert_eq!(clean, "GET https://b-125.cos.ap-guangzhou.myqcloud.com/k.raw?<hidden> failed");
    }

    #[test]
    fn ordinary_messages_keep_every_word() {
        for text in [
            "The image `img-72n9mi0y` is not in state NORMAL: try again later (code=7).",
            "RequestId: 9febcf16-d1b5-4573-8f02-c85eb7b875f6",
            "/nightly_img-72n9mi0y_system_snap-fiux4bof.raw does not exist",
        ] {
            assert_eq!(scrub(text), text);
        }
    }

    #[test]
    fn a_long_text_is_cut_and_stays_on_one_line() {
        let clean = scrub(&"a b\n".repeat(1000));
        assert_eq!(clean.chars().count(), 500);
        assert!(!clean.contains('\n'));
    }
}
