//! Decides who a caller is and what it may do.
//!
//! | part | decides | file |
//! |---|---|---|
//! | bearer | whose token it is, by the keys of an issuer | `bearer.rs`, `keys.rs` |
//! | certificate | which SPIFFE id a client certificate carries | `certificate.rs` |
//! | proxy | whose word about a caller counts | `proxy.rs` |
//! | policy | what a subject may do, by a file | `policy.rs`, `rule.rs` |
//! | access | what the call in hand may do | `access.rs` |
//!
//! The layer that authenticates is [`crate::layers::authenticate`]. Services ask [`Access`] once they have read the
//! request, because only they know its account, bucket and targets.

pub mod access;
pub mod bearer;
pub mod certificate;
pub mod keys;
pub mod pattern;
pub mod policy;
pub mod proxy;
pub mod rule;

mod ring_verifier;

pub use access::{Access, Ask, Permit};
pub use bearer::{Bearer, BearerOptions};
pub use pattern::Pattern;
pub use policy::{Policy, PolicyFile};
pub use proxy::TrustedProxies;

use std::sync::Arc;

/// How a caller proved who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// By nothing: callers are not told apart.
    None,
    /// By a bearer token.
    Bearer,
    /// By a client certificate.
    Certificate,
    /// By the word of a trusted proxy.
    Proxy,
    /// It is another role of Sampan, which has judged the subject before.
    Peer,
}

/// Who makes a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// SPIFFE id, or subject of a token; empty when callers are not told apart.
    pub subject: String,
    /// How that was proven.
    pub proof: Proof,
}

impl Identity {
    /// Returns the identity of callers that are not told apart.
    pub fn nobody() -> Self {
        Self { subject: String::new(), proof: Proof::None }
    }
}

/// What callers are asked for.
#[derive(Debug, Clone, Default)]
pub struct Auth {
    /// Reads bearer tokens; `None` refuses them.
    pub bearer: Option<Arc<Bearer>>,
    /// Takes the SPIFFE id of client certificates, which the listener has verified.
    pub certificates: bool,
    /// Whose word about callers counts.
    pub proxies: TrustedProxies,
    /// Subjects of the other roles of Sampan: they act for callers whom they have judged themselves.
    pub peers: Vec<Pattern>,
    /// The calls come from within the process: all of them are of peers.
    pub is_local: bool,
    /// What subjects may do; without one, whoever is known may do everything.
    pub policy: Option<Arc<PolicyFile>>,
}

impl Auth {
    /// Returns what calls within the process are asked for: nothing.
    pub fn local() -> Self {
        Self { is_local: true, ..Self::default() }
    }

    /// Returns whether callers have to prove who they are.
    pub fn is_required(&self) -> bool {
        self.bearer.is_some() || self.certificates || !self.proxies.is_empty() || self.policy.is_some()
    }
}
