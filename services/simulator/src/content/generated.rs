//! Decides what made-up data looks like: the same for the same seed and place, and compressible like a real disk.

use crate::world::mix;

/// Fills `buffer` with the bytes that the seed has from `offset` on.
pub(super) fn fill(seed: u64, offset: u64, buffer: &mut [u8]) {
    let mut at = offset;
    let mut rest = buffer;
    while !rest.is_empty() {
        let word = word(seed, at / 8);
        let skip = super::to_usize(at % 8);
        let source = word.get(skip..).unwrap_or_default();
        let count = source.len().min(rest.len());
        let (now, later) = rest.split_at_mut(count);
        now.copy_from_slice(source.get(..count).unwrap_or_default());
        at += count as u64;
        rest = later;
    }
}

/// Returns eight letters from `a` to `p`, so that no byte is zero and a packer saves about half.
fn word(seed: u64, index: u64) -> [u8; 8] {
    let bits = mix(seed ^ mix(index)) & 0x0f0f_0f0f_0f0f_0f0f;
    (bits + 0x6161_6161_6161_6161).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_part_equals_the_same_part_of_the_whole() {
        let mut whole = [0; 100];
        fill(7, 0, &mut whole);
        for (from, to) in [(0, 100), (1, 9), (13, 77), (99, 100)] {
            let mut part = vec![0; to - from];
            fill(7, from as u64, &mut part);
            assert_eq!(part, whole[from..to]);
        }
        let mut other = [0; 100];
        fill(8, 0, &mut other);
        assert_ne!(whole, other);
    }
}
