//! Decides how seeds are changed: by edits that proptest draws, and shrinks when one fails.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// Longest input: what is longer tests memory, not readers.
const LONGEST: usize = 64 * 1024;

/// Words at the borders of what readers expect.
const WORDS: &[&[u8]] = &[
    b"",
    b"0",
    b"-1",
    b"1e309",
    b"NaN",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"18446744073709551616",
    b"99999999999999999999999999999999999999999999",
    b"null",
    b"[]",
    b"{}",
    b"\"\"",
    b"\n\n",
    b"\r\n",
    b"%%\n",
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80",
    b"\xff\xff\xff\x7f",
    b"\xef\xbb\xbf",
    b"\xf0\x9f\x9a\xa2",
    b"\xe2\x80\xa8",
    b"9999-12-31T23:59:59Z",
    b"-262144-01-01T00:00:00Z",
    b"2024-02-30T25:61:61Z",
    b"<!DOCTYPE a [<!ENTITY b \"c\">]>&b;",
    b"&#x110000;",
    b"<![CDATA[",
    b"%00%ff%2f..",
    b"../../",
];

/// What is repeated to make things deep or long.
const STUFF: &[&[u8]] = &[b"[", b"{\"a\":", b"<a>", b"(", b"a.", b"\"a\",", b"*", b"\x0a", b"a"];

/// One change of a seed.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Flip(Index, u8),
    Set(Index, u8),
    Insert(Index, Index),
    Replace(Index, usize, Index),
    Remove(Index, usize),
    Repeat(Index, usize, usize),
    Stuff(Index, Index, usize),
    Splice(Index, Index, Index, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), 0..8_u8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
        4 => (at(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        4 => (at(), at()).prop_map(|(at, word)| Edit::Insert(at, word)),
        6 => (at(), 1..24_usize, at()).prop_map(|(at, length, word)| Edit::Replace(at, length, word)),
        3 => (at(), 1..48_usize).prop_map(|(at, length)| Edit::Remove(at, length)),
        2 => (at(), 1..64_usize, 1..16_usize).prop_map(|(at, length, times)| Edit::Repeat(at, length, times)),
        1 => (at(), at(), 1..12_000_usize).prop_map(|(at, what, times)| Edit::Stuff(at, what, times)),
        3 => (at(), at(), at(), 1..256_usize).prop_map(|(at, of, from, length)| Edit::Splice(at, of, from, length)),
    ]
}

/// Draws a seed and what becomes of it.
pub(crate) fn strategy() -> impl Strategy<Value = (Index, Vec<Edit>)> {
    (any::<Index>(), vec(edit(), 1..6))
}

/// Applies edits.
pub(crate) struct Mutator {
    seeds: Vec<Vec<u8>>,
    /// Words of the seeds themselves, besides those at the borders.
    words: Vec<Vec<u8>>,
}

impl Mutator {
    pub(crate) fn new(seeds: Vec<Vec<u8>>) -> Self {
        let own = seeds.iter().flat_map(|seed| seed.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'-'));
        let mut words: Vec<_> =
            own.filter(|word| (2..64).contains(&word.len())).chain(WORDS.iter().copied()).map(<[u8]>::to_vec).collect();
        words.sort();
        words.dedup();
        Self { seeds, words }
    }

    pub(crate) fn apply(&self, from: Index, edits: &[Edit]) -> Vec<u8> {
        let mut bytes = self.seeds[from.index(self.seeds.len())].clone();
        for edit in edits {
            self.edit(&mut bytes, edit);
            bytes.truncate(LONGEST);
        }
        bytes
    }

    fn edit(&self, bytes: &mut Vec<u8>, edit: &Edit) {
        let size = bytes.len();
        let span = |at: &Index, length: usize| {
            let start = at.index(size + 1);
            start..(start + length).min(size)
        };
        match edit {
            Edit::Flip(at, bit) if size > 0 => bytes[at.index(size)] ^= 1 << bit,
            Edit::Set(at, byte) if size > 0 => bytes[at.index(size)] = *byte,
            Edit::Flip(..) | Edit::Set(..) => {}
            Edit::Insert(at, word) => drop(bytes.splice(span(at, 0), self.word(word))),
            Edit::Replace(at, length, word) => drop(bytes.splice(span(at, *length), self.word(word))),
            Edit::Remove(at, length) => drop(bytes.drain(span(at, *length))),
            Edit::Repeat(at, length, times) => {
                let again = bytes[span(at, *length)].repeat(*times);
                drop(bytes.splice(span(at, 0), again));
            }
            Edit::Stuff(at, what, times) => {
                let stuff = STUFF[what.index(STUFF.len())].repeat(*times);
                drop(bytes.splice(span(at, 0), stuff));
            }
            Edit::Splice(at, of, from, length) => {
                let other = &self.seeds[of.index(self.seeds.len())];
                let start = from.index(other.len() + 1);
                let piece = other[start..(start + length).min(other.len())].to_vec();
                drop(bytes.splice(span(at, 0), piece));
            }
        }
    }

    fn word(&self, word: &Index) -> Vec<u8> {
        self.words[word.index(self.words.len())].clone()
    }
}
