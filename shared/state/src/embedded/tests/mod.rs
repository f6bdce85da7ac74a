//! Facts of the embedded backend: the conformance suite in memory and on a file, and what no other backend has.

mod conformance;
mod failing;
mod killed;
mod opening;
mod power;
mod unreadable;

use std::sync::Arc;

use sampan_core::clock::{Clock, ManualClock, SharedClock, SystemClock};
use sampan_core::{Lane, OperationId};

use crate::conformance::record;
use crate::operation::Operation;
use crate::{Admission, Error, NewOperation};

use super::Embedded;

/// Returns a clock that stands still at the present.
fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(SystemClock.now()))
}

fn shared(clock: &Arc<ManualClock>) -> SharedClock {
    Arc::clone(clock) as SharedClock
}

fn lane() -> Lane {
    Lane {
        cloud: sampan_core::Cloud::Tencent,
        account: "prod-cn".parse().unwrap(),
        region: "ap-guangzhou".parse().unwrap(),
    }
}

fn start() -> NewOperation {
    let now = SystemClock.now();
    NewOperation { operation: record(OperationId::generate(now), &lane(), now), quota: None, first_due: None }
}

/// Admits one operation that needs no quota.
async fn admit(store: &Embedded) -> Result<Operation, Error> {
    match store.admit(start()).await? {
        crate::Admitted::New(operation) | crate::Admitted::Existing(operation) => Ok(operation),
    }
}
