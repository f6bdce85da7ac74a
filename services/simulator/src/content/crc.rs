//! Decides how content is summed: holes and pieces are combined, never read as zeros.

use std::io;

use crc_fast::{CrcAlgorithm, Digest, checksum_combine};

use super::{Content, to_usize};

/// Bytes read at a time.
const CHUNK: u64 = 1 << 20;

impl Content {
    /// Returns the CRC-64/XZ of all bytes. Reads the data, and blocks while a file is read; holes cost nothing.
    ///
    /// # Errors
    /// When a backing file cannot be read.
    pub fn crc64(&self) -> io::Result<u64> {
        self.checksum(CrcAlgorithm::Crc64Xz)
    }

    /// Returns the CRC-32 that gzip ends with.
    pub(super) fn crc32(&self) -> io::Result<u32> {
        self.checksum(CrcAlgorithm::Crc32IsoHdlc).map(|sum| u32::try_from(sum & 0xffff_ffff).unwrap_or(0))
    }

    fn checksum(&self, algorithm: CrcAlgorithm) -> io::Result<u64> {
        let mut sum = Digest::new(algorithm).finalize();
        let mut at = 0;
        for extent in self.extents() {
            sum = checksum_combine(algorithm, sum, of_zeros(algorithm, extent.start - at), extent.start - at);
            sum = checksum_combine(algorithm, sum, self.of_data(algorithm, extent)?, extent.len);
            at = extent.start + extent.len;
        }
        Ok(checksum_combine(algorithm, sum, of_zeros(algorithm, self.len() - at), self.len() - at))
    }

    fn of_data(&self, algorithm: CrcAlgorithm, extent: super::Extent) -> io::Result<u64> {
        let mut digest = Digest::new(algorithm);
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

/// Returns the sum of `len` zero bytes, by doubling.
fn of_zeros(algorithm: CrcAlgorithm, len: u64) -> u64 {
    let mut sum = Digest::new(algorithm).finalize();
    let mut one = Digest::new(algorithm);
    one.update(&[0]);
    let (mut power, mut power_len, mut rest) = (one.finalize(), 1_u64, len);
    while rest > 0 {
        if rest & 1 == 1 {
            sum = checksum_combine(algorithm, sum, power, power_len);
        }
        rest >>= 1;
        if rest > 0 {
            power = checksum_combine(algorithm, power, power, power_len);
            power_len *= 2;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::super::Builder;
    use super::*;

    #[test]
    fn the_sum_of_the_nine_digits_is_the_published_one() {
        assert_eq!(Content::from_bytes("123456789").crc64().unwrap(), 11_051_210_869_376_104_954);
        assert_eq!(Content::default().crc64().unwrap(), 0);
        assert_eq!(Content::from_bytes("123456789").crc32().unwrap(), 0xcbf4_3926);
    }

    #[test]
    fn combining_gives_the_sum_of_the_plain_bytes() {
        for lens in [[0, 5, 3], [1, 1, 1], [100_000, 7, 65_536], [3, 2_500_000, 0]] {
            let mut builder = Builder::default();
            builder.push_zeros(lens[0]);
            builder.push(lens[1], super::super::Source::Generated { seed: 3, offset: 9 });
            builder.push_zeros(lens[2]);
            builder.push_bytes("end");
            let content = builder.finish();
            let plain = content.read(0, to_usize(content.len())).unwrap();
            assert_eq!(content.crc64().unwrap(), crc_fast::checksum(CrcAlgorithm::Crc64Xz, &plain), "{lens:?}");
            assert_eq!(
                u64::from(content.crc32().unwrap()),
                crc_fast::checksum(CrcAlgorithm::Crc32IsoHdlc, &plain),
                "{lens:?}"
            );
        }
    }
}
