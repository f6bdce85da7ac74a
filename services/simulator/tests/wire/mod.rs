//! A started simulator and a client that calls its control API.

use reqwest::{Client, StatusCode};
use sampan_simulator::{Options, Running, start};
use serde_json::Value;

pub(crate) struct Wire {
    pub(crate) running: Running,
    pub(crate) client: Client,
}

#[expect(clippy::disallowed_methods, reason = "the simulator is judged by a client that is not ours")]
pub(crate) async fn wire() -> Wire {
    // Several tests of one process do this; the first wins.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let running = start(Options::new(sampan_core::clock::system())).await.unwrap();
    Wire { running, client: Client::builder().no_proxy().build().unwrap() }
}

impl Wire {
    pub(crate) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let url = format!("{}/_sim/{path}", self.running.addresses().control);
        let response = self.client.post(url).json(&body).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let url = format!("{}/_sim/{path}", self.running.addresses().control);
        self.client.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// Returns the audit, one value a call.
    pub(crate) async fn audit(&self, query: &str) -> Vec<Value> {
        let url = format!("{}/_sim/audit{query}", self.running.addresses().control);
        let text = self.client.get(url).send().await.unwrap().text().await.unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
