//! Reads single values of the command line.

use std::time::Duration;

use sampan_core::{Cloud, ImageFormat};
use sampan_proto::billing::v1::CostLimit;

/// Reads `90s`, `15m`, `12h`, `2d`, or seconds without a unit.
///
/// # Errors
/// A sentence that names the accepted forms.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const FORMS: &str = "a duration has the form 90s, 15m, 12h or 2d";
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(unit_at);
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(FORMS.to_owned()),
    };
    let count: u64 = digits.parse().map_err(|_| FORMS.to_owned())?;
    count.checked_mul(factor).map(Duration::from_secs).ok_or_else(|| "the duration is too long".to_owned())
}

/// Reads `KEY=VALUE`.
pub(super) fn parse_label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("a label has the form KEY=VALUE")?;
    if key.is_empty() { Err("the label has no key".to_owned()) } else { Ok((key.to_owned(), value.to_owned())) }
}

/// Reads `25`, `3.50`, `25USD` or `25 CNY`. The server judges the amount.
pub(super) fn parse_cost(text: &str) -> Result<CostLimit, String> {
    let currency_at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (amount, currency) = text.split_at(currency_at);
    match amount.trim() {
        "" => Err("a cost has the form 25, 3.50 or 25USD".to_owned()),
        amount => Ok(CostLimit { amount: amount.to_owned(), currency: currency.to_ascii_uppercase() }),
    }
}

/// Reads the name of a cloud.
pub(super) fn parse_cloud(text: &str) -> Result<Cloud, String> {
    text.parse().map_err(|error: sampan_core::ids::InvalidId| error.to_string())
}

/// Reads the name of a format.
pub(super) fn parse_format(text: &str) -> Result<ImageFormat, String> {
    text.parse().map_err(|error: sampan_core::format::UnknownFormat| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_may_name_its_currency() {
        let cost =
            |amount: &str, currency: &str| Ok(CostLimit { amount: amount.to_owned(), currency: currency.to_owned() });
        assert_eq!(parse_cost("3.50"), cost("3.50", ""));
        assert_eq!(parse_cost("25usd"), cost("25", "USD"));
        assert_eq!(parse_cost("25 CNY"), cost("25", "CNY"));
        assert!(parse_cost("USD").is_err());
    }

    #[test]
    fn durations_have_a_unit_or_are_seconds() {
        assert_eq!(parse_duration("12h"), Ok(Duration::from_secs(43_200)));
        assert_eq!(parse_duration("90"), Ok(Duration::from_secs(90)));
        for bad in ["", "h", "1w", "-5s", "1.5h", "99999999999999999999d", "999999999999999999d"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
