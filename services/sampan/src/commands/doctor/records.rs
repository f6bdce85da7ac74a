//! Where records go besides the store: the audit file, the listener for scrapes, the collector.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use bytes::Bytes;
use sampan_cloud::stack::Transport;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;

use super::{Examined, Finding, Wrong};
use crate::cli::ConnectionArgs;
use crate::client::{Client, on_this_machine};
use crate::output::words;

/// Room for some hundred thousand audit records; a disk with less is told before it is full.
const LEAST_ROOM: u64 = 256 << 20;
/// Beginning of the names of our metrics.
const OURS: &[u8] = b"\nsampan_";

pub(super) async fn check(examined: &Examined<'_>) -> Vec<Finding> {
    let config = examined.config;
    let mut findings = Vec::new();
    if let Some(path) = &config.audit.file {
        findings.push(Finding::new("audit", path.display().to_string(), audit_file(path)));
    }
    if let Some(listen) = &config.metrics.listen {
        findings.push(Finding::new("metrics", listen, scrapes(examined, listen).await));
    }
    if let Some(endpoint) = &config.telemetry.otlp_endpoint {
        findings.push(Finding::new("collector", endpoint, examined.within(collector(endpoint)).await));
    }
    findings
}

/// Looks whether records can be appended, and makes nothing: a file of the wrong owner would be in the server's way.
fn audit_file(path: &Path) -> Result<String, Wrong> {
    let refused = |what: String| {
        Wrong::new(
            what,
            "let the user that runs `sampan serve` write there, or correct audit.file; run doctor as that user",
        )
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let state = match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(Wrong::new("it is a folder", "name a file in it with audit.file")),
        Ok(found) if !found.is_file() => return Ok("a pipe or a device, which is not tried".to_owned()),
        Ok(_) => {
            let opened = OpenOptions::new().append(true).open(path);
            opened.map_err(|error| refused(format!("it cannot be appended to: {error}")))?;
            "can be appended to"
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            tempfile::tempfile_in(folder).map_err(|error| match error.kind() {
                ErrorKind::NotFound => {
                    let what = format!("its folder {} does not exist", folder.display());
                    Wrong::new(what, "make the folder, or correct audit.file")
                }
                _ => refused(format!("no file can be made in {}: {error}", folder.display())),
            })?;
            "will be made by the server"
        }
        Err(error) => return Err(refused(error.to_string())),
    };
    room(state, free_bytes(folder))
}

fn room(state: &str, free: Option<u64>) -> Result<String, Wrong> {
    match free {
        Some(free) if free < LEAST_ROOM => Err(Wrong::new(
            format!("only {} are free on its disk", words::bytes(free)),
            "make room: while a record cannot be written, no call that changes something is made",
        )),
        Some(free) => Ok(format!("{state}; {} are free", words::bytes(free))),
        None => Ok(state.to_owned()),
    }
}

/// Returns what is free for users on the disk of a folder, where the system tells it.
#[cfg(target_os = "linux")]
fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::fstatvfs(File::open(folder).ok()?).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(target_os = "linux"))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

async fn scrapes(examined: &Examined<'_>, listen: &str) -> Result<String, Wrong> {
    let address: SocketAddr = listen
        .parse()
        .map_err(|_| Wrong::new("it is no address to listen on", "use the form 127.0.0.1:9464 for metrics.listen"))?;
    if !address.ip().to_canonical().is_loopback() && !examined.config.metrics.insecure {
        return Err(Wrong::new(
            "others reach it: `serve` will refuse to start",
            "listen on 127.0.0.1, or set metrics.insecure = true where only Prometheus reaches it",
        ));
    }
    match TcpListener::bind(address) {
        Ok(_) => Ok("free for the server".to_owned()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => examined.within(ours(address)).await,
        Err(error) => Err(Wrong::new(
            format!("nobody can listen there: {error}"),
            "name an address of this machine, and a port that its user may take, with metrics.listen",
        )),
    }
}

/// Looks whether it is the server of this machine that has the address already.
async fn ours(address: SocketAddr) -> Result<String, Wrong> {
    let taken = || {
        Wrong::new("another program listens there", "stop that program, or choose another address for metrics.listen")
    };
    let url = format!("http://{}/metrics", on_this_machine(address));
    let request = http::Request::get(url).body(Bytes::new()).map_err(|_| taken())?;
    let answer = Transport::new().send(request).await.map_err(|_| taken())?;
    let is_ours = answer.body().windows(OURS.len()).any(|part| part == OURS);
    if is_ours { Ok("in use by the server that runs here".to_owned()) } else { Err(taken()) }
}

/// Asks the collector anything: whoever answers in gRPC, if only that it does not know the question, is there.
async fn collector(endpoint: &str) -> Result<String, Wrong> {
    let mend = "start the collector, or correct telemetry.otlp_endpoint (OTLP over gRPC, as a rule port 4317)";
    let nobody = ConnectionArgs { token: None, token_file: None, tls_ca: None, tls_cert: None, tls_key: None };
    let client = Client::connect_to(endpoint, &nobody).await;
    let client = client.map_err(|failure| Wrong::new(failure.message, mend))?;
    match client.health().check(HealthCheckRequest::default()).await.map_err(|status| status.code()) {
        Ok(_) | Err(Code::Unimplemented | Code::NotFound | Code::Unauthenticated | Code::PermissionDenied) => {
            Ok("answers".to_owned())
        }
        Err(_) => Err(Wrong::new("whoever answers there does not speak gRPC", mend)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_nearly_full_is_told_before_it_is_full() {
        assert!(room("well", Some(LEAST_ROOM)).is_ok_and(|told| told.contains("well") && told.contains("256.00 MiB")));
        let wrong = room("well", Some(LEAST_ROOM - 1)).err().unwrap();
        assert!(wrong.what.contains("are free on its disk") && wrong.mend.contains("make room"));
        assert!(room("well", None).is_ok_and(|told| told == "well"));
    }

    #[test]
    fn the_audit_file_is_tried_without_being_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let free = free_bytes(folder.path());
        assert!(free.is_none_or(|free| free > 0));
        let told = |found: Result<String, Wrong>| found.unwrap_or_else(|wrong| wrong.what);
        assert!(told(audit_file(&path)).starts_with("will be made") || free < Some(LEAST_ROOM));
        assert!(!path.exists());
        std::fs::write(&path, "{}\n").unwrap();
        assert!(told(audit_file(&path)).starts_with("can be appended to") || free < Some(LEAST_ROOM));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}\n");
        assert_eq!(told(audit_file(folder.path())), "it is a folder");
        assert!(told(audit_file(&folder.path().join("no/audit.jsonl"))).contains("does not exist"));
        assert!(told(audit_file(&path.join("audit.jsonl"))).contains("ot a directory"));
    }
}
