//! The simulated clouds as a child process, and their control API.

use std::path::Path;
use std::time::Duration;

use sampan_core::Cloud;
use serde_json::{Value, json};

use crate::audit::{AuditLine, Seen};
use crate::child::Child;
use crate::spec::Lane;

/// Simulated clouds at work. Dropping them ends them.
#[derive(Debug)]
pub struct Simulator {
    child: Child,
    control: String,
    ready: Value,
    http: reqwest::Client,
}

impl Simulator {
    /// Starts simulated clouds on five free ports.
    ///
    /// - `config`: where the configuration for a server is written.
    /// - `stem`: where the output goes.
    pub async fn start(config: &Path, stem: &Path) -> Self {
        Self::try_start(0, config, stem).await.expect("the simulator starts")
    }

    /// Starts simulated clouds on `port` and the four after it.
    ///
    /// # Errors
    /// What they wrote when they did not start, most likely because a port is taken.
    pub async fn try_start(port: u16, config: &Path, stem: &Path) -> Result<Self, String> {
        let config = config.to_str().expect("a path in UTF-8");
        let port = port.to_string();
        let arguments = ["simulate", "--port", &port, "--json", "--write-config", config];
        let (child, ready) = Child::start(&arguments, stem).await.map_err(|(_, told)| told)?;
        let control = ready.pointer("/addresses/control").and_then(Value::as_str).expect("an address").to_owned();
        Ok(Self { child, control, ready, http: http() })
    }

    /// Returns the line that it was ready with.
    pub fn ready(&self) -> &Value {
        &self.ready
    }

    /// Returns every secret of the seeded accounts.
    pub fn secrets(&self) -> Vec<String> {
        let accounts = self.ready.get("accounts").and_then(Value::as_array).expect("accounts");
        accounts.iter().map(|account| text(account, "secret_key")).collect()
    }

    /// Returns the process.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Makes a control request.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let response =
            self.http.post(format!("{}/_sim/{path}", self.control)).json(&body).send().await.expect("an answer");
        let status = response.status();
        let answer: Value = response.json().await.expect("JSON");
        assert!(status.is_success(), "{path} with {body}: {status} {answer}");
        answer
    }

    /// Reads from the control API.
    pub async fn get(&self, path: &str) -> Value {
        let response = self.http.get(format!("{}/_sim/{path}", self.control)).send().await.expect("an answer");
        response.json().await.expect("JSON")
    }

    /// Fetches a URL as anybody could.
    pub async fn fetch(&self, url: &str) -> reqwest::Response {
        self.http.get(url).send().await.expect("an answer")
    }

    /// Returns every call that the clouds saw.
    pub async fn audit(&self) -> Seen {
        self.audit_after(0).await
    }

    /// Returns the calls after the one of that number.
    pub async fn audit_after(&self, seq: u64) -> Seen {
        let url = format!("{}/_sim/audit?after={seq}", self.control);
        let text = self.http.get(url).send().await.expect("an answer").text().await.expect("text");
        let line = |line: &str| serde_json::from_str::<AuditLine>(line).expect("an audit line");
        Seen(text.lines().map(line).collect())
    }

    /// Lets the next `times` calls of `action` go wrong.
    pub async fn fault(&self, cloud: Cloud, action: &str, kind: &str, times: u32) {
        let delay_ms = if kind == "slow" { 300 } else { 0 };
        let fault =
            json!({ "cloud": cloud.as_str(), "action": action, "kind": kind, "times": times, "delay_ms": delay_ms });
        self.post("faults", fault).await;
    }

    /// Returns the orders for faults that are not used up.
    pub async fn faults_left(&self) -> Vec<Value> {
        self.get("faults").await.get("faults").and_then(Value::as_array).cloned().unwrap_or_default()
    }

    /// Sets how long an export takes at least.
    pub async fn pace(&self, floor: Duration) {
        let floor_ms = u64::try_from(floor.as_millis()).expect("a short time");
        self.post("pace", json!({ "floor_ms": floor_ms, "per_used_gib_ms": 0, "per_further_disk_ms": 20 })).await;
    }

    /// Lets somebody in the web console spend `n` operations of the lane's day.
    pub async fn console(&self, lane: &Lane, n: u32) {
        let body = json!({ "cloud": lane.cloud.as_str(), "account": lane.number, "region": lane.region, "n": n });
        self.post("console", body).await;
    }

    /// Returns how many operations of today the cloud has counted in the lane.
    pub async fn counted(&self, lane: &Lane) -> u64 {
        let path = format!("quota?cloud={}&account={}&region={}", lane.cloud, lane.number, lane.region);
        self.get(&path).await.get("used").and_then(Value::as_u64).expect("a count")
    }

    /// Adds an image of one small disk to the lane and returns its id.
    pub async fn add_image(&self, lane: &Lane, name: &str) -> String {
        let disks = json!([{ "role": "system", "size_gib": 1 }]);
        self.add_image_of(lane, json!({ "name": name, "disks": disks })).await
    }

    /// Adds an image to the lane, described by the fields of the control API, and returns its id.
    pub async fn add_image_of(&self, lane: &Lane, mut fields: Value) -> String {
        let place = json!({ "cloud": lane.cloud.as_str(), "account": lane.number, "region": lane.region });
        let (Some(fields_of), Some(place)) = (fields.as_object_mut(), place.as_object()) else { panic!("objects") };
        for (key, value) in place {
            fields_of.entry(key).or_insert_with(|| value.clone());
        }
        text(&self.post("images", fields).await, "id")
    }

    /// Changes what the cloud allows the lane's account.
    pub async fn limits(&self, lane: &Lane, limits: Value) {
        self.post("limits", json!({ "cloud": lane.cloud.as_str(), "account": lane.number, "limits": limits })).await;
    }

    /// Returns the objects that lie in a bucket now.
    pub async fn objects(&self, bucket: &str) -> Vec<Value> {
        let all = self.get("objects").await;
        let objects = all.get("objects").and_then(Value::as_array).expect("objects");
        objects.iter().filter(|object| text(object, "bucket") == bucket).cloned().collect()
    }

    /// Returns the tasks that the clouds have run.
    pub async fn tasks(&self) -> Vec<Value> {
        self.get("tasks").await.get("tasks").and_then(Value::as_array).cloned().expect("tasks")
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests' own client of the control API")]
fn http() -> reqwest::Client {
    // A second installation finds the first in place; either is the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60));
    builder.build().expect("a client")
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_else(|| panic!("{key} in {value}")).to_owned()
}
