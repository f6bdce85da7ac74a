//! Lays environment variables over the file: `SAMPAN_TLS__CERT_FILE` is the key `cert_file` of the section `[tls]`.
//!
//! Variables without two underscores in a row, such as `SAMPAN_LISTEN`, belong to flags.

use std::ffi::OsString;

use toml::{Table, Value};

use super::Error;

const PREFIX: &str = "SAMPAN_";
const LEVEL: &str = "__";

/// Writes every variable into `table`.
///
/// # Errors
/// [`Error::Value`] when a variable goes through something that is no section, or is no UTF-8.
pub(super) fn lay_over(table: &mut Table, variables: impl Iterator<Item = (OsString, OsString)>) -> Result<(), Error> {
    for (name, text) in variables {
        // Names and values of other programs may be anything.
        let Some(name) = name.to_str() else { continue };
        let Some(path) = name.strip_prefix(PREFIX).filter(|path| path.contains(LEVEL)) else { continue };
        let text = text.into_string().map_err(|_| Error::Value(format!("the variable {name} is no UTF-8")))?;
        let path: Vec<String> = path.split(LEVEL).map(str::to_ascii_lowercase).collect();
        let Some((key, sections)) = path.split_last() else { continue };
        let mut place = &mut *table;
        for section in sections {
            let next = place.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
            place = next.as_table_mut().ok_or_else(|| {
                Error::Value(format!("the variable {name} goes through `{section}`, which is no section"))
            })?;
        }
        place.insert(key.clone(), value(text));
    }
    Ok(())
}

/// Reads numbers, truth values and lists as the file would; everything else is text.
fn value(text: String) -> Value {
    let read = toml::from_str::<Table>(&format!("value = {text}")).ok().and_then(|mut table| table.remove("value"));
    match read {
        Some(value @ (Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Array(_))) => value,
        Some(_) | None => Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    fn laid(text: &str, variables: &[(&str, &str)]) -> Result<Table, Error> {
        let mut table = text.parse().expect("a table");
        lay_over(&mut table, variables.iter().map(|(name, value)| ((*name).into(), (*value).into())))?;
        Ok(table)
    }

    #[test]
    fn a_variable_wins_over_the_file_and_makes_the_sections_that_it_needs() {
        let table = laid(
            "[server]\nlisten = \"a\"\ngrace_seconds = 1\n",
            &[
                ("SAMPAN_SERVER__LISTEN", "b"),
                ("SAMPAN_TLS__CERT_FILE", "/c.pem"),
                ("SAMPAN_SERVER__INSECURE", "true"),
                ("SAMPAN_AUTH__PEERS", "[\"x\"]"),
                ("SAMPAN_LISTEN", "of a flag"),
                ("HOME", "/root"),
            ],
        )
        .expect("fits");
        assert_eq!(table["server"]["listen"].as_str(), Some("b"));
        assert_eq!(table["server"]["grace_seconds"].as_integer(), Some(1));
        assert_eq!(table["server"]["insecure"].as_bool(), Some(true));
        assert_eq!(table["tls"]["cert_file"].as_str(), Some("/c.pem"));
        assert_eq!(table["auth"]["peers"].as_array().map(Vec::len), Some(1));
        assert_eq!(table.len(), 3);
    }

    #[test]
    fn a_variable_that_is_no_utf8_is_refused_by_name_and_disturbs_nobody_when_it_is_not_ours() {
        let broken = || OsString::from_vec(vec![0xff]);
        let mut table = Table::new();
        lay_over(&mut table, [("LESS".into(), broken()), (broken(), "x".into())].into_iter()).expect("not ours");
        let error = lay_over(&mut table, [("SAMPAN_TLS__CERT_FILE".into(), broken())].into_iter());
        assert!(error.is_err_and(|error| error.to_string().contains("SAMPAN_TLS__CERT_FILE")));
        assert!(table.is_empty());
    }

    #[test]
    fn a_variable_through_a_value_is_refused_by_name() {
        let error = laid("store = \"memory\"\n", &[("SAMPAN_STORE__X", "1")]).expect_err("refused").to_string();
        assert!(error.contains("SAMPAN_STORE__X"), "{error}");
    }
}
