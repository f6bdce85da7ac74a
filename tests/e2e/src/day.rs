//! Keeps tests away from the turn of the quota day, which is real time in a child process.

use std::time::Duration;

use sampan_core::clock::system;

const DAY_SECONDS: i64 = 86_400;
/// Offset of the day that the simulated clouds count in.
const CHINA_SECONDS: i64 = 8 * 3600;

/// Returns an offset of the server's quota day, in minutes from UTC, by which it is about noon now.
///
/// No call begins in the last 45 seconds of a day: a server that counts in this day is never there during a test.
pub fn offset_of_noon() -> i64 {
    let minute = system().now().as_second().rem_euclid(DAY_SECONDS) / 60;
    let offset = 12 * 60 - minute;
    if offset < -12 * 60 { offset + 24 * 60 } else { offset }
}

/// Waits until the day of the simulated clouds does not turn within `span`; most days it returns at once.
///
/// For tests in which a cloud itself counts: its day is fixed.
pub async fn away_from_the_turn(span: Duration) {
    let passed = (system().now().as_second() + CHINA_SECONDS).rem_euclid(DAY_SECONDS);
    let left = Duration::from_secs(u64::try_from(DAY_SECONDS - passed).unwrap_or(0));
    if left <= span {
        tokio::time::sleep(left + Duration::from_secs(1)).await;
    }
}
