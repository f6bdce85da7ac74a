//! Decides how the values of an ECS call are read: words, booleans in any case, numbers, comma and `Name.N` lists.

use sampan_core::Cloud;

use super::refusal::Refusal;
use crate::alibaba::percent::Pairs;
use crate::world;

/// Query and form parameters of one call, decoded. An empty value counts as absent.
#[derive(Debug, Clone)]
pub(super) struct Parameters(Pairs);

/// A page of a list, after its limits were checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// From 1.
    pub(super) number: usize,
    /// From 1 to 100.
    pub(super) size: usize,
}

impl Page {
    /// The entries of this page.
    pub(super) fn of<T>(self, all: Vec<T>) -> Vec<T> {
        all.into_iter().skip((self.number - 1).saturating_mul(self.size)).take(self.size).collect()
    }
}

impl Parameters {
    pub(super) fn new(pairs: Pairs) -> Self {
        Self(pairs)
    }

    /// All pairs as sent, which the RPC signature covers.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    pub(super) fn optional(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.optional(name).ok_or_else(|| Refusal::missing(name))
    }

    /// The region that the call names; unknown ones are refused.
    pub(super) fn region(&self) -> Result<&str, Refusal> {
        let region = self.required("RegionId")?;
        if world::is_region(Cloud::Alibaba, region) {
            return Ok(region);
        }
        Err(Refusal::bad_request("InvalidRegionId.NotFound", "The specified RegionId does not exist."))
    }

    /// A boolean in any case, because Python clients send `True`.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.optional(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Refusal::invalid(name)),
        }
    }

    /// Values of a comma list, without empty ones.
    pub(super) fn comma_list(&self, name: &str) -> Option<Vec<&str>> {
        let text = self.optional(name)?;
        Some(text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect())
    }

    /// Values of `NAME.1`, `NAME.2` … up to the first gap.
    pub(super) fn numbered(&self, name: &str) -> Vec<&str> {
        (1..).map_while(|index| self.optional(&format!("{name}.{index}"))).collect()
    }

    /// Keys and values of `NAME.1.Key`, `NAME.1.Value` … up to the first gap.
    pub(super) fn numbered_pairs(&self, name: &str) -> Vec<(&str, &str)> {
        (1..)
            .map_while(|index| {
                let key = self.optional(&format!("{name}.{index}.Key"))?;
                Some((key, self.optional(&format!("{name}.{index}.Value")).unwrap_or_default()))
            })
            .collect()
    }

    /// `PageNumber` (default 1) and `PageSize` (default 10, at most 100).
    pub(super) fn page(&self) -> Result<Page, Refusal> {
        Ok(Page { number: self.number("PageNumber", 1, usize::MAX)?, size: self.number("PageSize", 10, 100)? })
    }

    /// A number from 1 to `most`.
    pub(super) fn number(&self, name: &str, default: usize, most: usize) -> Result<usize, Refusal> {
        let Some(text) = self.optional(name) else {
            return Ok(default);
        };
        text.parse().ok().filter(|number| (1..=most).contains(number)).ok_or_else(|| Refusal::invalid(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alibaba::percent::decode_query;

    fn parameters(query: &str) -> Parameters {
        Parameters::new(decode_query(query))
    }

    #[test]
    fn booleans_are_read_in_any_case_and_other_words_refused() {
        let read = parameters("A=True&B=false&C=FALSE&D=yes&E=");
        assert_eq!(read.flag("A"), Ok(Some(true)));
        assert_eq!(read.flag("B"), Ok(Some(false)));
        assert_eq!(read.flag("C"), Ok(Some(false)));
        assert_eq!(read.flag("E"), Ok(None));
        assert_eq!(read.flag("D").map_err(|refusal| refusal.code), Err("InvalidParameter".into()));
    }

    #[test]
    fn lists_come_as_commas_or_as_numbered_names() {
        let read = parameters(
            "Status=Available%2CCreating&ResourceIds.1=a&ResourceIds.2=b&ResourceIds.4=d&Tag.1.Key=k&Tag.1.Value=",
        );
        assert_eq!(read.comma_list("Status"), Some(vec!["Available", "Creating"]));
        assert_eq!(read.numbered("ResourceIds"), ["a", "b"]);
        assert_eq!(read.numbered_pairs("Tag"), [("k", "")]);
    }

    #[test]
    fn a_page_beyond_its_limits_is_refused() {
        assert_eq!(parameters("").page(), Ok(Page { number: 1, size: 10 }));
        assert_eq!(parameters("PageNumber=3&PageSize=100").page(), Ok(Page { number: 3, size: 100 }));
        for query in ["PageSize=101", "PageSize=0", "PageNumber=0", "PageNumber=-1", "PageSize=ten"] {
            assert!(parameters(query).page().is_err(), "{query}");
        }
        assert_eq!(Page { number: 2, size: 2 }.of(vec![1, 2, 3]), [3]);
    }

    #[test]
    fn an_absent_or_unknown_region_is_refused_by_its_own_code() {
        assert_eq!(parameters("RegionId=cn-hangzhou").region(), Ok("cn-hangzhou"));
        let code = |query| parameters(query).region().map(str::to_owned).map_err(|refusal| refusal.code);
        assert_eq!(code("RegionId="), Err("MissingParameter".into()));
        assert_eq!(code("RegionId=ap-guangzhou"), Err("InvalidRegionId.NotFound".into()));
    }
}
