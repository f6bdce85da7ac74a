//! Feeds everything that reads foreign bytes with bytes that nobody expects.
//!
//! A target is a function over bytes. It returns whether the reader understood them, and panics when a promise is
//! broken: that is all that a fuzzer, a corpus and a mutation need to know of it. [`TARGETS`] lists them; `fuzz/` gives
//! each to libFuzzer, and `tests/bounded.rs` runs each over its committed corpus and over mutations of it.

mod archive;
mod callers;
mod edge;
mod files;
mod replies;
mod requests;
mod scene;
mod stored;

pub use stored::template as stored_rows;

/// A function over bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: that of the folder of its corpus, too.
    pub name: &'static str,
    /// Reads the bytes; returns whether they were understood.
    pub run: fn(&[u8]) -> bool,
}

macro_rules! targets {
    ($($(#[doc = $doc:literal])+ $module:ident::$name:ident;)+) => {
        $(
            $(#[doc = $doc])+
            ///
            /// Returns whether `data` was understood; panics when a promise is broken.
            pub fn $name(data: &[u8]) -> bool {
                $module::$name(data)
            }
        )+

        /// Every target, by the floor of what it feeds.
        pub const TARGETS: &[Target] = &[$(Target { name: stringify!($name), run: $name }),+];
    };
}

targets! {
    /// Starts of exports: protobuf to spec to record.
    requests::export_request;
    /// Starts of copies: protobuf to spec to record.
    requests::copy_request;
    /// Changes of shares: protobuf to spec to record.
    requests::share_request;
    /// Questions to the billing estimator, and its answers.
    requests::billing_request;
    /// Filters and page tokens of lists of operations.
    requests::operations_request;
    /// Questions about quotas.
    requests::quota_request;
    /// Calls of every method with their headers, through all layers.
    edge::rpc;
    /// Answers of Tencent's CVM and CBS.
    replies::tencent_api;
    /// Answers of Tencent's COS.
    replies::tencent_cos;
    /// Answers of Tencent's STS and metadata service.
    replies::tencent_credentials;
    /// Answers of Alibaba's ECS.
    replies::alibaba_ecs;
    /// Answers of Alibaba's OSS.
    replies::alibaba_oss;
    /// Answers of Alibaba's metadata service and credentials URI.
    replies::alibaba_credentials;
    /// Configuration files with an environment over them.
    files::configuration;
    /// Policies.
    files::policy;
    /// Price files.
    files::prices;
    /// Bearer tokens, with the keys of their issuer.
    callers::bearer;
    /// Client certificates.
    callers::certificate;
    /// The header in which a proxy names its client.
    callers::forwarded_client;
    /// Rows of the embedded store.
    stored::row;
    /// The journal of the embedded store.
    stored::journal;
    /// Answers of Redis.
    stored::redis_answer;
    /// Addresses of Redis.
    stored::redis_address;
    /// Exported archives.
    archive::archive;
    /// Notes of a download that broke off.
    archive::download_notes;
}
