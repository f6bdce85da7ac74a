//! Facts of the embedded backend that no other backend has.

use super::*;

#[tokio::test]
async fn a_fresh_store_in_memory_passes_its_check() {
    let store = Embedded::in_memory(sampan_core::clock::system()).unwrap();
    store.check().await.unwrap();
}
