//! `ExportImages`: starts an export, or asks whether one would be accepted.

use sampan_cloud::CallError;
use sampan_cloud::image::{ExportCall, ExportStarted};
use sampan_cloud::stack::Idempotency;
use sampan_core::{ImageFormat, Reason};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::api::{Action, Answer, Api, Service, refuse};

pub(crate) const NAME: &str = "ExportImages";
/// 20 requests per second: document 213/73474.
const ACTION: Action = Action { service: Service::Cvm, name: NAME, per_second: Some(20) };

/// Whether the call starts something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Start,
    DryRun,
}

/// Starts an export.
pub(crate) async fn start(api: &Api, call: &ExportCall) -> Result<ExportStarted, CallError> {
    let request = api.request(&ACTION, &call.region, Idempotency::Unsafe, &body(call, Mode::Start)?);
    let Answer { content, request_id } = api.call::<Content>(request).await?;
    Ok(content.into_started(request_id))
}

/// Asks whether the export would be accepted.
pub(crate) async fn dry_run(api: &Api, call: &ExportCall) -> Result<(), CallError> {
    let request = api.request(&ACTION, &call.region, Idempotency::Safe, &body(call, Mode::DryRun)?);
    // What a dry run says besides its success is documented nowhere.
    api.call::<Value>(request).await.map(|_| ())
}

fn body(call: &ExportCall, mode: Mode) -> Result<Value, CallError> {
    let mut body = Map::new();
    body.insert("BucketName".to_owned(), json!(call.bucket));
    body.insert("ImageIds".to_owned(), json!([call.image.as_str()]));
    body.insert("ExportFormat".to_owned(), json!(format(call.format)?));
    body.insert("OnlyExportRootDisk".to_owned(), json!(call.root_disk_only));
    body.insert("DryRun".to_owned(), json!(mode == Mode::DryRun));
    if let Some(prefix) = &call.prefix {
        body.insert("FileNamePrefixList".to_owned(), json!([prefix]));
    }
    if let Some(role) = &call.role_name {
        body.insert("RoleName".to_owned(), json!(role));
    }
    Ok(Value::Object(body))
}

fn format(format: ImageFormat) -> Result<&'static str, CallError> {
    match format {
        ImageFormat::Raw => Ok("RAW"),
        ImageFormat::Vhd => Ok("VHD"),
        ImageFormat::Qcow2 => Ok("QCOW2"),
        ImageFormat::Vmdk => Ok("VMDK"),
        ImageFormat::Vdi => Err(refuse(NAME, Reason::FormatUnsupported, "Tencent Cloud does not export VDI")),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    /// A number by the model; read as any value, because nothing depends on it: no call accepts it.
    task_id: Option<Value>,
    cos_paths: Option<Vec<String>>,
}

impl Content {
    fn into_started(self, request_id: String) -> ExportStarted {
        let task_id = self.task_id.and_then(|id| match id {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        });
        let objects = self.cos_paths.unwrap_or_default();
        let objects = objects.iter().map(|path| path.strip_prefix('/').unwrap_or(path).to_owned()).collect();
        ExportStarted { task_id, objects, request_id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> ExportCall {
        ExportCall {
            region: "ap-guangzhou".parse().unwrap(),
            image: "img-72n9mi0y".parse().unwrap(),
            bucket: "my-bucket-1250000000".to_owned(),
            prefix: Some("nightly".to_owned()),
            format: ImageFormat::Qcow2,
            root_disk_only: true,
            role_name: None,
        }
    }

    #[test]
    fn the_body_names_what_was_asked_for_and_leaves_defaults_to_the_vendor() {
        assert_eq!(
            body(&call(), Mode::Start).unwrap(),
            json!({
                "BucketName": "my-bucket-1250000000", "ImageIds": ["img-72n9mi0y"], "ExportFormat": "QCOW2",
                "FileNamePrefixList": ["nightly"], "OnlyExportRootDisk": true, "DryRun": false,
            })
        );
        let call = ExportCall { prefix: None, role_name: Some("Writer".to_owned()), ..call() };
        let body = body(&call, Mode::DryRun).unwrap();
        assert_eq!(
            (&body["DryRun"], &body["RoleName"], body.get("FileNamePrefixList")),
            (&json!(true), &json!("Writer"), None)
        );
    }

    #[test]
    fn a_format_that_the_cloud_lacks_is_refused_unsent() {
        let error = body(&ExportCall { format: ImageFormat::Vdi, ..call() }, Mode::Start).unwrap_err();
        assert_eq!((error.reason, error.attempts), (Reason::FormatUnsupported, 0));
    }

    #[test]
    fn promised_paths_lose_one_leading_slash() {
        let json = r#"{"TaskId":105591590,"CosPaths":["/img-a_system_snap-b.raw","x.raw","//y"],"RequestId":"r"}"#;
        let started = serde_json::from_str::<Content>(json).unwrap().into_started("r".to_owned());
        assert_eq!(started.objects, ["img-a_system_snap-b.raw", "x.raw", "/y"]);
        assert_eq!(started.task_id.as_deref(), Some("105591590"));
    }

    #[test]
    fn an_acceptance_without_details_is_an_acceptance() {
        for json in ["{}", r#"{"TaskId":null,"CosPaths":null}"#] {
            let started = serde_json::from_str::<Content>(json).unwrap().into_started("r".to_owned());
            assert_eq!((started.task_id, started.objects), (None, vec![]));
        }
    }
}
