//! Decides how content is summed: holes and pieces are combined, never read as zeros.

use std::io;

use crc_fast::{CrcAlgorithm, Digest, checksum_combine};

use super::{Content, Extent, to_usize};

/// Bytes read at a time.
const CHUNK: u64 = 1 << 20;

impl Content {
    /// Returns the CRC-64/XZ of all bytes. Reads the data, and blocks while a file is read; holes cost nothing.
    ///
    /// # Errors
    /// When a backing file cannot be read.
    pub fn crc64(&self) -> io::Result<u64> {
        let (mut sum, mut at) = (0, 0);
        for extent in self.extents() {
            sum = combine(sum, of_zeros(extent.start - at), extent.start - at);
            sum = combine(sum, self.of_data(extent)?, extent.len);
            at = extent.start + extent.len;
        }
        Ok(combine(sum, of_zeros(self.len() - at), self.len() - at))
    }

    fn of_data(&self, extent: Extent) -> io::Result<u64> {
        let mut digest = Digest::new(CrcAlgorithm::Crc64Xz);
        let mut buffer = vec![0; to_usize(extent.len.min(CHUNK))];
        let mut done = 0;
        while done < extent.len {
            let count = to_usize(extent.len - done).min(buffer.len());
            let part = buffer.get_mut(..count).unwrap_or_default();
            self.read_at(extent.start + done, part)?;
            digest.update(part);
            done += count as u64;
        }
        Ok(digest.finalize())
    }
}

/// Returns the sum of two runs, the second of `len` bytes.
fn combine(first: u64, second: u64, len: u64) -> u64 {
    checksum_combine(CrcAlgorithm::Crc64Xz, first, second, len)
}

/// Returns the sum of `len` zero bytes, by doubling.
fn of_zeros(len: u64) -> u64 {
    let (mut sum, mut power, mut power_len) = (0, crc_fast::checksum(CrcAlgorithm::Crc64Xz, &[0]), 1_u64);
    let mut rest = len;
    while rest > 0 {
        if rest & 1 == 1 {
            sum = combine(sum, power, power_len);
        }
        rest >>= 1;
        if rest > 0 {
            power = combine(power, power, power_len);
            power_len *= 2;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::super::{Builder, Source};
    use super::*;

    #[test]
    fn the_sum_of_the_nine_digits_is_the_published_one() {
        assert_eq!(Content::from_bytes("123456789").crc64().unwrap(), 11_051_210_869_376_104_954);
        assert_eq!(Content::default().crc64().unwrap(), 0);
    }

    #[test]
    fn combining_gives_the_sum_of_the_plain_bytes() {
        for lens in [[0, 5, 3], [1, 1, 1], [100_000, 7, 65_536], [3, 2_500_000, 0]] {
            let mut builder = Builder::default();
            builder.push_zeros(lens[0]);
            builder.push(lens[1], Source::Generated { seed: 3, offset: 9 });
            builder.push_zeros(lens[2]);
            builder.push_bytes("end");
            let content = builder.finish();
            let plain = content.read(0, to_usize(content.len())).unwrap();
            assert_eq!(content.crc64().unwrap(), crc_fast::checksum(CrcAlgorithm::Crc64Xz, &plain), "{lens:?}");
        }
    }
}
