//! Nothing that a secured run writes holds a secret: logs at the level trace, answers and errors of the command line,
//! audit file, traces and records at a collector, metrics, the printed configuration, the doctor's findings, the store.
//!
//! The one place where a signed link is written is the answer of `CreateDownloadUrls`, to the caller who asked for it;
//! the command line uses such links itself and prints none.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "../otlp_support/mod.rs"]
mod otlp_support;
mod search;
#[path = "../security_support/mod.rs"]
mod security_support;
mod vault;

use std::fs;
use std::path::Path;
use std::time::Duration;

use otlp_support::Collector;
use sampan_proto::export::v1::CreateDownloadUrlsRequest;
use sampan_proto::export::v1::export_service_client::ExportServiceClient;
use sampan_tests_e2e::{ALIBABA, Lane, Server, TENCENT, command, free_port};
use search::Search;
use security_support::{Ran, Site, ran};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use vault::Vault;

const POLICY: &str = r#"
[[allow]]
subjects = ["ann"]
actions = ["*"]
accounts = ["*"]
regions = ["*"]
buckets = ["*"]
share_targets = ["*"]
"#;

/// Keys of an account whose cloud does not know them.
const WRONG_SECRET: &str = "wr0ngSecretThatNoCloudKnows";
const SESSION: &str = "sess10nTokenOfTemporaryKeys";

/// A site, everything that its run wrote, and everything that must not be in it.
struct Run {
    site: Site,
    collector: Collector,
    scrapes: String,
    search: Search,
    written: Vec<(String, String)>,
}

impl Run {
    async fn new(store: impl FnOnce(&Site) -> String) -> Self {
        let mut site = Site::with_policy(POLICY).await;
        let collector = Collector::start().await;
        let scrapes = format!("127.0.0.1:{}", free_port());
        let config = fs::read_to_string(&site.files.config).unwrap();
        let telemetry = format!("[telemetry]\njson = true\notlp_endpoint = \"{}\"\n", collector.url());
        assert!(config.contains("[telemetry]\nlog = \"info\"\n"), "{config}");
        let config = config.replace("[telemetry]\nlog = \"info\"\n", &format!("{telemetry}log = \"trace\"\n"));
        fs::write(&site.files.config, config).unwrap();
        let api = site.clouds.ready().pointer("/addresses/cvm").and_then(serde_json::Value::as_str).unwrap().to_owned();
        site.configure(&format!(
            "[audit]\nfile = {:?}\n[metrics]\nlisten = \"{scrapes}\"\n[accounts.locked-out]\ncloud = \"tencent\"\n\
             credentials = {{ source = \"static\", access_key_id = \"AKIDunknown\", access_key_secret = \
             \"{WRONG_SECRET}\", security_token = \"{SESSION}\" }}\nendpoints = {{ api = \"{api}\" }}\n",
            site.path("audit.jsonl"),
        ));
        site.files.store = store(&site);
        let mut search = Search::default();
        site.clouds.secrets().iter().for_each(|secret| search.forbid(secret));
        [WRONG_SECRET, SESSION].iter().for_each(|secret| search.forbid(secret));
        let key = fs::read_to_string(site.path("key.pem")).unwrap();
        key.lines().filter(|line| !line.starts_with('-')).for_each(|line| search.forbid(line));
        Self { site, collector, scrapes, search, written: Vec::new() }
    }

    /// Runs a command with a token of its own, and keeps what it says.
    async fn tell(&mut self, server: &Server, arguments: &[&str]) -> Ran {
        let token = self.site.issuer.token("ann", "sampan", 600);
        self.search.forbid_token(&token);
        let ran = self.site.run(server, Some(&token), arguments).await;
        self.written.push((arguments.join(" "), ran.text.clone()));
        ran
    }

    /// Exports, copies, shares and downloads, and fails in between in every way.
    async fn whole_tour(&mut self, server: &Server, lane: &Lane) {
        for action in ["DescribeImages", "HeadBucket", "HeadObject", "ListObjects", lane.export_action] {
            for kind in ["throttle", "server_error", "reset", "answer_lost"] {
                self.site.clouds.fault(lane.cloud, action, kind, 1).await;
            }
        }
        self.site.clouds.fault(lane.cloud, "GetObject", "reset", 1).await;
        let disk = self.site.path("disk.raw");
        fs::write(&disk, vec![7; 1 << 20]).unwrap();
        let fields = serde_json::json!({ "name": "small", "disks": [{ "role": "system", "file": disk }] });
        let image = self.site.clouds.add_image_of(lane, fields).await;
        let cloud = lane.cloud.to_string();
        let at = ["--cloud", &cloud, "--region", lane.region, "--image", &image];
        let export = [&at[..], &["--bucket", lane.bucket]].concat();
        self.tell(server, &[&["preview", "export"][..], &export].concat()).await;
        let told = self.tell(server, &[&["export"][..], &export, &["--output", "json"]].concat()).await;
        assert_eq!(told.exit, 0, "{}", told.text);
        let name = told.text.split('"').find(|word| word.starts_with("operations/")).expect("a name").to_owned();
        for output in ["table", "json"] {
            let to = self.site.path(&format!("downloads/{cloud}-{output}"));
            let to = to.to_str().unwrap();
            let loaded = self.tell(server, &["download", &name, "--to", to, "--output", output]).await;
            assert_eq!(loaded.exit, 0, "{}", loaded.text);
            self.tell(server, &["operations", "get", &name, "--output", output]).await;
            self.tell(server, &["operations", "list", "--output", output]).await;
            self.tell(server, &["quota", "--output", output]).await;
        }
        let to = if lane.region == TENCENT.region { "ap-beijing" } else { "cn-beijing" };
        let copied = self.tell(server, &[&["copy"][..], &at, &["--to", to, "--name", "copy-of-small"]].concat()).await;
        assert_eq!(copied.exit, 0, "{}", copied.text);
        let number = if lane.region == TENCENT.region { "100000000002" } else { "1000000000000002" };
        let shared = self.tell(server, &[&["share", "add"][..], &at, &["--with", number]].concat()).await;
        assert_eq!(shared.exit, 0, "{}", shared.text);
        self.tell(server, &[&["share", "list"][..], &at].concat()).await;
        self.links(server, name).await;
    }

    /// Asks for links, as a caller may; they are told to it, and to nobody else.
    async fn links(&mut self, server: &Server, operation_name: String) {
        let ca = Certificate::from_pem(self.site.authority.pem());
        let endpoint = Endpoint::from_shared(server.url().to_owned()).unwrap();
        let endpoint = endpoint.tls_config(ClientTlsConfig::new().ca_certificate(ca).domain_name("127.0.0.1")).unwrap();
        let token = self.site.issuer.token("ann", "sampan", 600);
        self.search.forbid_token(&token);
        let mut request = tonic::Request::new(CreateDownloadUrlsRequest { operation_name, valid_for: None });
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let mut client = ExportServiceClient::new(endpoint.connect().await.unwrap());
        let links = client.create_download_urls(request).await.unwrap().into_inner().urls;
        assert!(!links.is_empty());
        links.iter().for_each(|link| self.search.forbid_link(&link.url));
    }

    /// Calls that fail: an account that its cloud does not know, an image and a bucket that do not exist, callers whose
    /// tokens are not accepted.
    async fn refusals(&mut self, server: &Server) {
        let image = TENCENT.image("ubuntu");
        let at = ["--cloud", "tencent", "--region", TENCENT.region, "--bucket", TENCENT.bucket];
        for (account, image, output) in
            [("locked-out", &*image, "table"), ("locked-out", &image, "json"), ("tencent", "img-nowhere1", "json")]
        {
            let words = ["--account", account, "--image", image, "--output", output];
            let refused = self.tell(server, &[&["preview", "export"][..], &at, &words].concat()).await;
            assert_ne!(refused.exit, 0, "{}", refused.text);
            // Keys may yet be mended: the operation of a locked-out account goes on trying.
            self.tell(server, &[&["export", "--detach"][..], &at, &words].concat()).await;
        }
        let expired = self.site.issuer.token("ann", "sampan", -600);
        let foreign = security_support::Issuer::new().token("ann", "sampan", 600);
        for token in [expired, foreign, "no-token-of-any-kind-at-all".to_owned()] {
            self.search.forbid_token(&token);
            for output in ["table", "json"] {
                let ran = self.site.run(server, Some(&token), &["operations", "list", "--output", output]).await;
                assert_ne!(ran.exit, 0, "{}", ran.text);
                self.written.push(("a refused caller".to_owned(), ran.text));
            }
        }
    }

    /// What a person looks at who runs the server.
    async fn looks(&mut self, server: &Server) {
        let config = self.site.files.config.to_str().unwrap().to_owned();
        let store = self.site.files.store.clone();
        let bucket = format!("tencent/{}/{}", TENCENT.region, TENCENT.bucket);
        for arguments in [
            &["serve", "--config", &config, "--store", &store, "--print-config"][..],
            &["doctor", "--config", &config, "--store", &store, "--bucket", &bucket],
            &["doctor", "--config", &config, "--store", &store, "--output", "json"],
        ] {
            let mut command = command();
            command.args(arguments);
            let ran = ran(tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap());
            assert!(!ran.text.is_empty());
            self.written.push((arguments[0].to_owned(), ran.text));
        }
        let ran = self.site.run(server, None, &["health"]).await;
        self.written.push(("health".to_owned(), ran.text));
        let scraped = self.site.clouds.fetch(&format!("http://{}/metrics", self.scrapes)).await.text().await.unwrap();
        assert!(scraped.contains("sampan_"), "{scraped}");
        self.written.push(("metrics".to_owned(), scraped));
    }

    /// Gathers what is in files and at the collector, and searches everything.
    async fn judge(mut self, further: &Path) {
        let arrived = self.collector.until("spans and records", |arrived| {
            !arrived.spans.is_empty() && !arrived.records.is_empty() && !arrived.metrics.is_empty()
        });
        self.written.push(("collector".to_owned(), arrived.await.text));
        let given = ["sampan.toml", "clouds.", "cert.pem", "key.pem", "ca.pem", "jwks.json", "policy.toml", "disk.raw"];
        for folder in [self.site.path(""), further.to_path_buf()] {
            search::files(&folder, &given, &mut self.written);
        }
        let needed = [("server.stderr", "\"TRACE\""), ("server.stderr", "AuthFailure"), ("audit.jsonl", "\"units\"")];
        for (name, needed) in needed {
            let text = self.written.iter().find(|(written, _)| written == name).map(|(_, text)| text.as_str());
            assert!(text.is_some_and(|text| text.contains(needed)), "{name} holds no {needed}");
        }
        let found = self.search.in_all(&self.written);
        assert!(found.is_empty(), "{} secrets are written, such as\n{:#?}", found.len(), &found[..found.len().min(12)]);
    }
}

async fn everything(mut run: Run, store: &Path) {
    run.site.clouds.pace(Duration::from_millis(300)).await;
    let server = run.site.serve().await;
    for lane in [TENCENT, ALIBABA] {
        run.whole_tour(&server, &lane).await;
    }
    run.refusals(&server).await;
    run.looks(&server).await;
    assert!(server.stop().await.success());
    run.judge(store).await;
}

#[tokio::test]
async fn a_secured_run_on_the_embedded_store_writes_no_secret() {
    let run = Run::new(|site| format!("embedded:{}", site.path("store").display())).await;
    let store = run.site.path("store");
    everything(run, &store).await;
}

#[tokio::test]
async fn a_secured_run_on_redis_writes_no_secret_and_not_its_password() {
    let Some(vault) = Vault::start().await else { return };
    let mut run = Run::new(|_| vault.store()).await;
    run.search.forbid(vault::PASSWORD);
    let store = vault.folder();
    everything(run, &store).await;
}
