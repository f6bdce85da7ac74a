//! Decides where every row of the embedded store lies: the one table is ordered by these keys.
//!
//! A key is one letter for the kind of row, then its parts. Texts carry their length in front, numbers are
//! big-endian, so that rows of one lane, day or kind of operation lie together and in order.
//!
//! | letter | parts | row |
//! |---|---|---|
//! | `a` | | when the store was last checked |
//! | `b` | | the last order of admission |
//! | `c` | lane | fence, lease and last quota rule of the lane |
//! | `d` | lane, day | units of the day |
//! | `d` | lane, day, `/`, key | nothing: the key was counted on that day |
//! | `e` | lane, order of admission | operation that waits, and its units |
//! | `f` | kind, due, operation | nothing: the due queue |
//! | `g` | lane, `0` with an open call or `1`, since when, operation | nothing: the line for the lane |
//! | `o` | operation, `1` | the operation's record |
//! | `o` | operation, `2` | the store's own entry about it: order of admission, fence, lease, due time |
//! | `o` | operation, `3`, lane | units that the operation holds of the lane |
//! | `r` | caller, request id | the operation that the request started |
//!
//! The order of the letters is not free: a commit writes every page that it touches, so what changes together
//! lies together. The few small rows of lanes share pages, and so does all that belongs to one operation.

use jiff::civil::Date;
use sampan_core::{Lane, OperationId, RequestId};
use uuid::Uuid;

use super::line::Place;

/// A key, or a prefix of keys.
pub(super) type Key = Vec<u8>;

/// Key of the last order of admission.
pub(super) const SEQUENCE: &[u8] = b"b";
/// Key of the row that a check writes.
pub(super) const CHECK: &[u8] = b"a";
/// Prefix of all rows of operations.
pub(super) const OPERATIONS: &[u8] = b"o";

fn text(key: &mut Key, text: &str) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    key.extend_from_slice(&length.to_be_bytes());
    key.extend_from_slice(text.as_bytes());
}

const RECORD: u8 = b'1';
const ENTRY: u8 = b'2';
const HOLD: u8 = b'3';

fn with_id(id: OperationId, row: u8) -> Key {
    let mut key = OPERATIONS.to_vec();
    key.extend_from_slice(id.uuid().as_bytes());
    key.push(row);
    key
}

fn with_lane(letter: u8, lane: &Lane) -> Key {
    let mut key = vec![letter];
    text(&mut key, &lane.to_string());
    key
}

pub(super) fn operation(id: OperationId) -> Key {
    with_id(id, RECORD)
}

pub(super) fn entry(id: OperationId) -> Key {
    with_id(id, ENTRY)
}

pub(super) fn request(caller: &str, id: RequestId) -> Key {
    let mut key = vec![b'r'];
    text(&mut key, caller);
    key.extend_from_slice(id.uuid().as_bytes());
    key
}

pub(super) fn lane(lane: &Lane) -> Key {
    with_lane(b'c', lane)
}

/// Prefix of the lane's days.
pub(super) fn days(lane: &Lane) -> Key {
    with_lane(b'd', lane)
}

pub(super) fn day(lane: &Lane, day: Date) -> Key {
    let mut key = days(lane);
    key.extend_from_slice(day.to_string().as_bytes());
    key
}

/// Key of a spending on that day; it is forgotten with the day.
pub(super) fn spending(lane: &Lane, date: Date, spending: &str) -> Key {
    let mut key = day(lane, date);
    key.push(b'/');
    text(&mut key, spending);
    key
}

pub(super) fn hold(lane: &Lane, id: OperationId) -> Key {
    let mut key = with_id(id, HOLD);
    text(&mut key, &lane.to_string());
    key
}

/// Prefix of the lane's waiting list.
pub(super) fn waiting_list(lane: &Lane) -> Key {
    with_lane(b'e', lane)
}

pub(super) fn waiting(lane: &Lane, sequence: u64) -> Key {
    let mut key = waiting_list(lane);
    key.extend_from_slice(&sequence.to_be_bytes());
    key
}

/// Reads the order of admission back from a key of a waiting list.
pub(super) fn read_sequence(key: &[u8]) -> u64 {
    key.split_last_chunk::<8>().map_or(0, |(_, sequence)| u64::from_be_bytes(*sequence))
}

/// Prefix of the lane's line.
pub(super) fn line(lane: &Lane) -> Key {
    with_lane(b'g', lane)
}

pub(super) fn place(lane: &Lane, place: Place, id: OperationId) -> Key {
    let mut key = line(lane);
    key.push(if place.is_open { b'0' } else { b'1' });
    key.extend_from_slice(&sortable(place.since_us));
    key.extend_from_slice(id.uuid().as_bytes());
    key
}

/// Reads the operation back from a key of a line.
pub(super) fn read_place(key: &[u8]) -> Option<OperationId> {
    let (_, id) = key.split_last_chunk::<16>()?;
    Some(OperationId::from(Uuid::from_bytes(*id)))
}

/// Returns bytes in the order of the numbers: the flipped sign bit makes negative ones sort before positive ones.
fn sortable(number: i64) -> [u8; 8] {
    (number ^ i64::MIN).to_be_bytes()
}

/// Prefix of the due queue of one kind.
pub(super) fn due_queue(kind: &str) -> Key {
    let mut key = vec![b'f'];
    text(&mut key, kind);
    key
}

/// Key of the due queue just before everything of `kind` that is due at `due_us` or later.
pub(super) fn due_from(kind: &str, due_us: i64) -> Key {
    let mut key = due_queue(kind);
    key.extend_from_slice(&sortable(due_us));
    key
}

pub(super) fn due(kind: &str, due_us: i64, id: OperationId) -> Key {
    let mut key = due_from(kind, due_us);
    key.extend_from_slice(id.uuid().as_bytes());
    key
}

/// Reads due time and operation back from a key of the due queue.
pub(super) fn read_due(key: &[u8]) -> Option<(i64, OperationId)> {
    let (rest, id) = key.split_last_chunk::<16>()?;
    let (_, due) = rest.split_last_chunk::<8>()?;
    Some((i64::from_be_bytes(*due) ^ i64::MIN, OperationId::from(Uuid::from_bytes(*id))))
}

/// Reads the operation back from the key of one of its rows.
pub(super) fn read_operation(key: &[u8]) -> Option<OperationId> {
    let (id, _) = key.strip_prefix(OPERATIONS)?.split_first_chunk::<16>()?;
    Some(OperationId::from(Uuid::from_bytes(*id)))
}

/// Returns whether the key is that of a record.
pub(super) fn is_record(key: &[u8]) -> bool {
    key.strip_prefix(OPERATIONS).is_some_and(|rest| rest.len() == 17 && rest.ends_with(&[RECORD]))
}

/// Returns the first key after all that begin with `prefix`.
pub(super) fn after(prefix: &[u8]) -> Key {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some_id() -> OperationId {
        OperationId::from(Uuid::from_u128(7))
    }

    #[test]
    fn the_due_queue_is_ordered_by_time_before_and_after_1970() {
        let times = [i64::MIN, -1, 0, 1, i64::MAX];
        let keys: Vec<Key> = times.iter().map(|at| due("export", *at, some_id())).collect();
        assert!(keys.is_sorted());
        for (at, key) in times.iter().zip(&keys) {
            assert_eq!(read_due(key), Some((*at, some_id())));
        }
    }

    #[test]
    fn a_kind_that_begins_like_another_has_its_own_queue() {
        assert!(!due("exporter", 0, some_id()).starts_with(&due_queue("export")));
    }

    #[test]
    fn the_end_of_a_prefix_lies_after_its_last_key() {
        assert_eq!(after(b"o"), b"p".to_vec());
        assert_eq!(after(&[1, 255]), vec![2]);
    }
}
