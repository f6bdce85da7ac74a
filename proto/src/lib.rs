//! Protocol buffer definitions of Sampan and the code generated from them.
//!
//! The `.proto` files beside this crate decide the API; their comments are the documentation of the types here.
//! Short paths: [`image::v1`], [`operation::v1`], [`quota::v1`], [`export::v1`],
//! [`copy::v1`], [`share::v1`], [`billing::v1`].

/// Every package below `sampan`, in the nesting that generated code relies on.
pub mod sampan {
    /// Images, disks, formats, violations.
    pub mod image {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("sampan.image.v1");
        }
    }
    /// Operations and the service that reads and steers them.
    pub mod operation {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("sampan.operation.v1");
        }
    }
    /// Daily quotas and the service that shows them.
    pub mod quota {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("sampan.quota.v1");
        }
    }
    /// The export service.
    pub mod export {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("sampan.export.v1");
        }
    }
    /// The copy service.
    pub mod copy {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("sampan.copy.v1");
        }
    }
    /// The share service.
    pub mod share {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("sampan.share.v1");
        }
    }
    /// The billing estimator.
    pub mod billing {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("sampan.billing.v1");
        }
    }
}

pub use sampan::{billing, copy, export, image, operation, quota, share};

/// Encoded `google.protobuf.FileDescriptorSet` of all packages with their imports and comments, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("sampan_descriptor");
