//! Decides what the identifiers look like that the clouds give out.
//!
//! The shapes are the vendors'; the characters come from a counter, so that two runs with the same calls give the
//! same ids.

use sampan_core::Cloud;

/// Gives out identifiers.
#[derive(Debug, Clone)]
pub(super) struct IdSource {
    counter: u64,
}

impl IdSource {
    pub(super) fn new() -> Self {
        Self { counter: 0 }
    }

    /// Makes an image id: `img-` + 8 characters, or `m-` + 20.
    pub(super) fn image(&mut self, cloud: Cloud, region: &str) -> String {
        match cloud {
            Cloud::Tencent => format!("img-{}", self.tail(8)),
            Cloud::Alibaba => self.alibaba("m", region),
        }
    }

    /// Makes a snapshot id: `snap-` + 8 characters, or `s-` + 20.
    pub(super) fn snapshot(&mut self, cloud: Cloud, region: &str) -> String {
        match cloud {
            Cloud::Tencent => format!("snap-{}", self.tail(8)),
            Cloud::Alibaba => self.alibaba("s", region),
        }
    }

    /// Makes a task id of Alibaba's shape, `t-` + 20 characters, and a task number of Tencent's.
    pub(super) fn task(&mut self, region: &str) -> (String, u64) {
        let id = self.alibaba("t", region);
        (id, 105_591_590 + self.counter * 7)
    }

    fn alibaba(&mut self, prefix: &str, region: &str) -> String {
        let infix = region_infix(region);
        format!("{prefix}-{infix}{}", self.tail(20 - infix.len()))
    }

    /// Returns `length` characters of `[a-z0-9]`, the first a letter.
    fn tail(&mut self, length: usize) -> String {
        const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        self.counter += 1;
        let mut state = mix(self.counter);
        (0..length)
            .map(|index| {
                let choice = if index == 0 { state % 26 } else { state % 36 };
                state = mix(state.wrapping_add(1));
                LETTERS.get(usize::try_from(choice).unwrap_or(0)).copied().map_or('a', char::from)
            })
            .collect()
    }
}

/// Returns the characters that Alibaba puts after the prefix in a region.
fn region_infix(region: &str) -> &'static str {
    match region {
        "cn-hangzhou" => "bp",
        "cn-shanghai" => "uf",
        "cn-beijing" => "2ze",
        "cn-hongkong" => "j6c",
        "cn-guangzhou" => "7xv",
        _ => "t4n",
    }
}

/// Mixes a number so that neighbours look unrelated (the finaliser of splitmix64).
pub(crate) fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_vendors_shapes_and_never_repeat() {
        let mut ids = IdSource::new();
        let one = ids.image(Cloud::Tencent, "ap-guangzhou");
        let two = ids.image(Cloud::Tencent, "ap-guangzhou");
        assert_ne!(one, two);
        assert_eq!(one.len(), 12);
        let image = ids.image(Cloud::Alibaba, "cn-beijing");
        assert!(image.starts_with("m-2ze"), "{image}");
        assert_eq!(image.len(), 22);
        let (task, number) = ids.task("cn-hangzhou");
        assert!(task.starts_with("t-bp"), "{task}");
        assert!(number > 105_591_590);
    }
}
