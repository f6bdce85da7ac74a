//! Decides what kind of call a path names.

/// How the edge treats a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// Answered as fast as possible.
    Short,
    /// Waits for an operation by its nature; counted and bounded apart from the short ones.
    Waiting,
    /// Health and reflection: answered also when everything else is too much, and logged quietly.
    Infrastructure,
}

const WAITING: [&str; 2] =
    ["/sampan.operation.v1.OperationService/WaitOperation", "/sampan.operation.v1.OperationService/WatchOperation"];

const INFRASTRUCTURE: [&str; 2] = ["/grpc.health.", "/grpc.reflection."];

impl CallKind {
    /// Returns whether a path is one of the health service.
    pub fn is_health(path: &str) -> bool {
        path.starts_with(INFRASTRUCTURE[0])
    }

    /// Tells the kind of a call by its path, such as `/sampan.quota.v1.QuotaService/GetQuota`.
    pub fn of(path: &str) -> Self {
        if WAITING.contains(&path) {
            Self::Waiting
        } else if INFRASTRUCTURE.iter().any(|prefix| path.starts_with(prefix)) {
            Self::Infrastructure
        } else {
            Self::Short
        }
    }
}

/// Splits a path into service and method; both are empty when it is no gRPC path.
pub fn split(path: &str) -> (&str, &str) {
    path.strip_prefix('/').and_then(|rest| rest.split_once('/')).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_calls_are_methods_that_exist() {
        let known = String::from_utf8_lossy(sampan_proto::FILE_DESCRIPTOR_SET);
        for path in WAITING {
            let (service, method) = split(path);
            let bare = service.rsplit('.').next().unwrap();
            assert!(known.contains(bare) && known.contains(method), "{path}");
            assert_eq!(CallKind::of(path), CallKind::Waiting);
        }
        assert_eq!(CallKind::of("/grpc.health.v1.Health/Check"), CallKind::Infrastructure);
        assert_eq!(CallKind::of("/sampan.quota.v1.QuotaService/GetQuota"), CallKind::Short);
    }
}
