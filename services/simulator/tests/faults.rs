//! Faults on demand, as a client on the wire feels them: what is refused, cut, lost, and what had its effect.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod wire;

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Response;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use wire::{Wire, wire};

fn hmac_sha256(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

impl Wire {
    /// Calls CVM as the first account, signed with TC3.
    async fn cvm(&self, action: &str, body: Value) -> reqwest::Result<Response> {
        let url = self.running.addresses().cvm;
        let host = url.strip_prefix("http://").unwrap().to_owned();
        let account = &self.running.credentials()[0];
        let now = self.running.world().auth_now();
        let (seconds, date) = (now.as_second(), now.strftime("%Y-%m-%d").to_string());
        let body = body.to_string();
        let hash = |text: &str| hex::encode(Sha256::digest(text.as_bytes()));
        let canonical =
            format!("POST\n/\n\ncontent-type:application/json\nhost:{host}\n\ncontent-type;host\n{}", hash(&body));
        let scope = format!("{date}/cvm/tc3_request");
        let text = format!("TC3-HMAC-SHA256\n{seconds}\n{scope}\n{}", hash(&canonical));
        let secret = format!("TC3{}", account.secret_key);
        let key = [date.as_str(), "cvm", "tc3_request"]
            .into_iter()
            .fold(secret.into_bytes(), |key, part| hmac_sha256(&key, part));
        let signature = hex::encode(hmac_sha256(&key, &text));
        let authorization = format!(
            "TC3-HMAC-SHA256 Credential={}/{scope}, SignedHeaders=content-type;host, Signature={signature}",
            account.secret_id
        );
        let request = self.client.post(url).header("content-type", "application/json");
        let request = request.header("authorization", authorization).header("x-tc-action", action);
        let request = request.header("x-tc-version", "2017-03-12").header("x-tc-region", "ap-guangzhou");
        request.header("x-tc-timestamp", seconds).body(body).send().await
    }

    async fn export(&self) -> reqwest::Result<Response> {
        let body = json!({"BucketName": "sampan-guangzhou-1250000000", "ImageIds": ["img-ubuntu01"]});
        self.cvm("ExportImages", body).await
    }

    /// Reads an object of the first account of Alibaba, signed with OSS V1.
    async fn oss(&self, key: &str) -> reqwest::Result<Response> {
        let account = &self.running.credentials()[2];
        let date = self.running.world().auth_now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let path = format!("/sampan-hangzhou/{key}");
        let mut mac = Hmac::<Sha1>::new_from_slice(account.secret_key.as_bytes()).unwrap();
        mac.update(format!("GET\n\n\n{date}\n{path}").as_bytes());
        let signature = base64::prelude::BASE64_STANDARD.encode(mac.finalize().into_bytes());
        let request = self.client.get(format!("{}{path}", self.running.addresses().oss)).header("date", date);
        request.header("authorization", format!("OSS {}:{signature}", account.secret_id)).send().await
    }

    async fn order(&self, action: &str, kind: &str, delay_ms: u64) {
        let fault = json!({"action": action, "kind": kind, "times": 1, "delay_ms": delay_ms});
        assert_eq!(self.post("faults", fault).await.0, 200);
    }

    async fn last_call(&self) -> Value {
        self.audit("").await.pop().unwrap()
    }

    async fn tasks(&self) -> usize {
        self.get("tasks").await["tasks"].as_array().unwrap().len()
    }
}

#[tokio::test]
async fn a_lost_answer_has_had_its_effect_and_a_reset_has_not() {
    let wire = wire().await;
    wire.order("ExportImages", "reset", 0).await;
    assert!(wire.export().await.is_err());
    assert_eq!(wire.last_call().await["outcome"], "reset");
    assert_eq!(wire.tasks().await, 0);
    wire.order("ExportImages", "answer_lost", 0).await;
    assert!(wire.export().await.is_err());
    let call = wire.last_call().await;
    assert_eq!(
        (&call["outcome"], &call["mutating"], &call["image"]),
        (&json!("lost"), &json!(true), &json!("img-ubuntu01"))
    );
    assert_eq!(wire.tasks().await, 1);
    let quota = wire.get("quota?cloud=tencent&account=100000000001&region=ap-guangzhou").await;
    assert_eq!(quota["used"], 1);
    let third: Value = wire.export().await.unwrap().json().await.unwrap();
    assert_eq!(third["Response"]["Error"]["Code"], "InvalidParameterValue.InvalidImageState");
    wire.running.shutdown().await;
}

#[tokio::test]
async fn throttling_and_server_errors_are_the_vendors_and_have_no_effect() {
    let wire = wire().await;
    for (kind, code) in [("throttle", "RequestLimitExceeded"), ("server_error", "InternalError")] {
        wire.order("ExportImages", kind, 0).await;
        let answer: Value = wire.export().await.unwrap().json().await.unwrap();
        assert_eq!(answer["Response"]["Error"]["Code"], code);
        let call = wire.last_call().await;
        assert_eq!(call["outcome"], code);
        assert_eq!(call["request_id"], answer["Response"]["RequestId"]);
    }
    assert_eq!(wire.tasks().await, 0);
    // Each order is used up by one call.
    let answer: Value = wire.export().await.unwrap().json().await.unwrap();
    assert!(answer["Response"]["TaskId"].is_u64(), "{answer}");
    wire.running.shutdown().await;
}

#[tokio::test]
async fn a_slow_call_is_served_after_its_pause_even_if_nobody_waits_for_it() {
    let wire = wire().await;
    wire.order("ExportImages", "slow", 150).await;
    let before = std::time::Instant::now();
    wire.export().await.unwrap();
    assert!(before.elapsed() >= std::time::Duration::from_millis(150));
    wire.post("reset", json!({})).await;
    wire.order("ExportImages", "slow", 100).await;
    let impatient = std::time::Duration::from_millis(30);
    assert!(tokio::time::timeout(impatient, wire.export()).await.is_err());
    let give_up = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while wire.tasks().await == 0 {
        assert!(std::time::Instant::now() < give_up, "the call was forgotten with its caller");
    }
    wire.running.shutdown().await;
}

#[tokio::test]
async fn a_download_is_cut_in_its_middle_and_whole_the_next_time() {
    let wire = wire().await;
    let bytes = vec![7; 3 << 20];
    let cloud = sampan_core::Cloud::Alibaba;
    wire.running.world().put_object(cloud, "sampan-hangzhou", "k", bytes.clone().into()).unwrap();
    wire.order("GetObject", "reset", 0).await;
    let mut cut = wire.oss("k").await.unwrap();
    assert_eq!(cut.content_length(), Some(3 << 20));
    let mut received = 0;
    let error = loop {
        match cut.chunk().await {
            Ok(Some(chunk)) => received += chunk.len(),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(error.is_some(), "the body ended as if it were whole");
    assert!((1..3 << 20).contains(&received), "{received}");
    assert_eq!(wire.last_call().await["outcome"], "reset");
    assert!(wire.oss("k").await.unwrap().bytes().await.unwrap() == bytes);
    wire.running.shutdown().await;
}
