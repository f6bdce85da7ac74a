//! Decides which bytes a `Range` header means.

use std::ops::Range;

/// What a request wants of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Bytes that it does not have.
    Unsatisfiable,
}

/// Reads `header` for an object of `size` bytes. A header of another form, or of several ranges, counts as none.
pub(super) fn read(header: Option<&str>, size: u64) -> Wanted {
    let spec = header.and_then(|header| header.trim().strip_prefix("bytes="));
    let Some((first, last)) = spec.and_then(|spec| spec.split_once('-')) else {
        return Wanted::Whole;
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    match (first.trim(), number(first), last.trim(), number(last)) {
        ("", _, _, Some(suffix)) if suffix > 0 && size > 0 => Wanted::Part(size.saturating_sub(suffix)..size),
        ("", _, _, Some(_)) => Wanted::Unsatisfiable,
        (_, Some(first), "", _) => part(first, size, size),
        (_, Some(first), _, Some(last)) if first <= last => part(first, last.saturating_add(1), size),
        _ => Wanted::Whole,
    }
}

fn part(first: u64, end: u64, size: u64) -> Wanted {
    if first < size { Wanted::Part(first..end.min(size)) } else { Wanted::Unsatisfiable }
}

#[cfg(test)]
mod tests {
    use super::{Wanted, read};

    #[test]
    fn ranges_are_cut_to_the_object() {
        assert_eq!(read(Some("bytes=0-4"), 10), Wanted::Part(0..5));
        assert_eq!(read(Some("bytes=4-"), 10), Wanted::Part(4..10));
        assert_eq!(read(Some("bytes=4-99"), 10), Wanted::Part(4..10));
        assert_eq!(read(Some("bytes=-3"), 10), Wanted::Part(7..10));
        assert_eq!(read(Some("bytes=-99"), 10), Wanted::Part(0..10));
        assert_eq!(read(Some("bytes=0-18446744073709551615"), 10), Wanted::Part(0..10));
    }

    #[test]
    fn bytes_behind_the_end_cannot_be_had() {
        for header in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
            assert_eq!(read(Some(header), 10), Wanted::Unsatisfiable, "{header}");
        }
        assert_eq!(read(Some("bytes=0-"), 0), Wanted::Unsatisfiable);
        assert_eq!(read(Some("bytes=-1"), 0), Wanted::Unsatisfiable);
    }

    #[test]
    fn other_forms_mean_the_whole_object() {
        for header in
            [None, Some("items=0-1"), Some("bytes=4-2"), Some("bytes=a-b"), Some("bytes=0-1,3-4"), Some("bytes")]
        {
            assert_eq!(read(header, 10), Wanted::Whole, "{header:?}");
        }
    }
}
