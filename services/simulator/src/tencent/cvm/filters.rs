//! Decides how `Filters`, `Offset` and `Limit` read: the same way for images and for snapshots.

use super::error::ApiError;
use super::params::Params;

/// Most filters in one call.
const MOST_FILTERS: usize = 10;
/// Most values of one filter.
const MOST_VALUES: usize = 5;
/// Items of a page when the caller names no number, and the most it may name.
const DEFAULT_LIMIT: u64 = 20;
const MOST_ITEMS: u64 = 100;

/// One condition: the property must be one of the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    /// Name of the property.
    pub(super) name: String,
    /// Values, any of which will do.
    pub(super) values: Vec<String>,
}

impl Filter {
    /// Tells whether a value is exactly what `property` is.
    pub(super) fn is(&self, property: &str) -> bool {
        self.values.iter().any(|value| value == property)
    }

    /// Tells whether a value is part of `property`, whatever the case.
    pub(super) fn is_in(&self, property: &str) -> bool {
        let property = property.to_lowercase();
        self.values.iter().any(|value| property.contains(&value.to_lowercase()))
    }
}

/// Reads `Filters`.
///
/// # Errors
/// `InvalidFilterValue.LimitExceeded` for too many, `InvalidFilter` for one without values, and those of [`Params`].
pub(super) fn read(params: &Params) -> Result<Vec<Filter>, ApiError> {
    let too_many = |what: &str| ApiError::new("InvalidFilterValue.LimitExceeded", format!("too many {what}"));
    let items = params.objects("Filters")?;
    if items.len() > MOST_FILTERS {
        return Err(too_many("filters"));
    }
    let filter = |item: &Params| {
        item.only(&["Name", "Values"])?;
        let name = item.required_text("Name")?.to_owned();
        let values = item.texts("Values")?.unwrap_or_default();
        if values.is_empty() {
            return Err(ApiError::new("InvalidFilter", format!("filter {name:?} has no values")));
        }
        if values.len() > MOST_VALUES {
            return Err(too_many("values in a filter"));
        }
        Ok(Filter { name, values })
    };
    items.iter().map(filter).collect()
}

/// The refusal of a filter that the action does not have.
pub(super) fn unknown(filter: &Filter) -> ApiError {
    ApiError::new("InvalidFilter", format!("there is no filter {:?}", filter.name))
}

/// Cuts the page that `Offset` and `Limit` ask for.
///
/// # Errors
/// `limit_code` when `Limit` is 0 or above 100.
pub(super) fn page<T>(params: &Params, items: Vec<T>, limit_code: &'static str) -> Result<Vec<T>, ApiError> {
    let offset = params.number("Offset")?.unwrap_or(0);
    let limit = params.number("Limit")?.unwrap_or(DEFAULT_LIMIT);
    if limit == 0 || limit > MOST_ITEMS {
        return Err(ApiError::new(limit_code, format!("Limit is {limit}, from 1 to {MOST_ITEMS} are allowed")));
    }
    let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Ok(items.into_iter().skip(whole(offset)).take(whole(limit)).collect())
}

#[cfg(test)]
mod tests {
    use super::{page, read};
    use crate::tencent::cvm::params::Params;

    fn params(json: &str) -> Params {
        Params::from_json(json.as_bytes()).expect("JSON")
    }

    fn code(json: &str) -> String {
        read(&params(json)).expect_err("refused").code.into_owned()
    }

    #[test]
    fn filters_are_bounded_in_number_and_in_values() {
        let one = r#"{"Name":"image-id","Values":["a"]}"#;
        let eleven = [one; 11].join(",");
        assert_eq!(code(&format!("{{\"Filters\":[{eleven}]}}")), "InvalidFilterValue.LimitExceeded");
        let six = r#"{"Filters":[{"Name":"image-id","Values":["1","2","3","4","5","6"]}]}"#;
        assert_eq!(code(six), "InvalidFilterValue.LimitExceeded");
        assert_eq!(code(r#"{"Filters":[{"Name":"image-id","Values":[]}]}"#), "InvalidFilter");
        assert_eq!(code(r#"{"Filters":[{"Values":["a"]}]}"#), "MissingParameter");
        assert_eq!(code(r#"{"Filters":[{"Name":"a","Value":["a"]}]}"#), "UnknownParameter");
    }

    #[test]
    fn a_page_begins_at_the_offset_and_ends_at_the_limit() {
        let all: Vec<u32> = (0..250).collect();
        let cut = |json: &str| page(&params(json), all.clone(), "X");
        assert_eq!(cut("{}").expect("a page").len(), 20);
        assert_eq!(cut(r#"{"Offset":240,"Limit":100}"#).expect("a page").first(), Some(&240));
        assert_eq!(cut(r#"{"Offset":240,"Limit":100}"#).expect("a page").len(), 10);
        assert_eq!(cut(r#"{"Offset":999}"#).expect("a page").len(), 0);
        for json in [r#"{"Limit":0}"#, r#"{"Limit":101}"#] {
            assert_eq!(cut(json).expect_err("refused").code, "X");
        }
    }
}
