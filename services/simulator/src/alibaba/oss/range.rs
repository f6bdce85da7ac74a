//! Decides which bytes a `Range` header asks for.

use std::ops::Range;

use super::refusal::Refusal;

/// Reads a header against an object of `size` bytes.
///
/// - `is_standard`: the request says `x-oss-range-behavior: standard`. Without it OSS answers every range that does
///   not lie within the object, and every malformed one, with the whole object.
/// - Returns `None` for the whole object.
pub(super) fn read(header: Option<&str>, size: u64, is_standard: bool) -> Result<Option<Range<u64>>, Refusal> {
    let Some(header) = header else { return Ok(None) };
    let Some((first, last)) = parse(header) else {
        return Ok(None);
    };
    let (start, end) = match (first, last) {
        (Some(first), Some(last)) => (first, last.saturating_add(1)),
        (Some(first), None) => (first, size.max(first.saturating_add(1))),
        (None, last) => (size.saturating_sub(last.unwrap_or(0)), size),
    };
    let is_empty = start >= size || start >= end;
    match (is_standard, is_empty) {
        (true, true) => Err(Refusal::range(size, header)),
        (true, false) => Ok(Some(start..end.min(size))),
        (false, _) => Ok((!is_empty && end <= size).then_some(start..end)),
    }
}

/// `bytes=FIRST-LAST`, one of them may be absent; `None` when it has another shape.
fn parse(header: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (first, last) = header.trim().strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| {
        if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
    };
    let (first, last) = (number(first)?, number(last)?);
    let is_ordered = match (first, last) {
        (None, None) => false,
        (Some(first), Some(last)) => first <= last,
        _ => true,
    };
    is_ordered.then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_within_the_object_is_served_in_its_three_forms() {
        for is_standard in [false, true] {
            assert_eq!(read(Some("bytes=0-3"), 10, is_standard), Ok(Some(0..4)));
            assert_eq!(read(Some("bytes=9-"), 10, is_standard), Ok(Some(9..10)));
            assert_eq!(read(Some("bytes=-4"), 10, is_standard), Ok(Some(6..10)));
            assert_eq!(read(None, 10, is_standard), Ok(None));
        }
    }

    #[test]
    fn a_malformed_range_gives_the_whole_object() {
        for header in ["bytes=3-1", "bytes=a-b", "bytes=-", "items=0-3", "bytes=0-1,3-4"] {
            assert_eq!(read(Some(header), 10, false), Ok(None), "{header}");
            assert_eq!(read(Some(header), 10, true), Ok(None), "{header}");
        }
    }

    #[test]
    fn a_range_past_the_end_is_whole_by_default_and_clipped_or_refused_when_standard() {
        assert_eq!(read(Some("bytes=5-20"), 10, false), Ok(None));
        assert_eq!(read(Some("bytes=5-20"), 10, true), Ok(Some(5..10)));
        assert_eq!(read(Some("bytes=10-20"), 10, false), Ok(None));
        assert_eq!(read(Some("bytes=10-20"), 10, true).map_err(|refusal| refusal.code), Err("InvalidRange"));
    }
}
