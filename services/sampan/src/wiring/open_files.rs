//! Decides how many connections the process has files for: each is one, and the store and the clouds need some too.

/// Files besides those of callers: store, clouds, peers, collector, certificates, logs.
const OTHERS: u64 = 256;

/// Raises the process's own limit of open files for so many connections, as far as the system lets it.
///
/// Returns how many there is room for: fewer than asked for when the system's limit is lower.
pub fn room_for(connections: usize) -> usize {
    let asked = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHERS);
    let room = room_within(connections, raised(asked));
    if room < connections {
        tracing::warn!(asked = connections, room, "too few open files are permitted for server.max_connections");
    }
    room
}

/// A process with few files keeps half of them for itself.
fn room_within(connections: usize, files: Option<u64>) -> usize {
    let Some(files) = files else { return connections };
    let room = files.saturating_sub(OTHERS).max(files / 2);
    connections.min(usize::try_from(room).unwrap_or(usize::MAX))
}

/// Returns the limit that is in force afterwards; `None` without one.
#[cfg(target_os = "linux")]
fn raised(asked: u64) -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current?;
    let reachable = limit.maximum.map_or(asked, |maximum| asked.min(maximum));
    let is_raised = reachable > current
        && setrlimit(Resource::Nofile, Rlimit { current: Some(reachable), maximum: limit.maximum }).is_ok();
    Some(if is_raised { reachable } else { current })
}

#[cfg(not(target_os = "linux"))]
fn raised(_: u64) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_store_and_clouds() {
        for (asked, files, room) in [
            (4_096, None, 4_096),
            (4_096, Some(1_048_576), 4_096),
            (4_096, Some(4_096 + OTHERS), 4_096),
            (4_096, Some(1_024), 768),
            (4_096, Some(100), 50),
            (10, Some(100), 10),
        ] {
            assert_eq!(room_within(asked, files), room, "{asked} of {files:?}");
        }
    }
}
