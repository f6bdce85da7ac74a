//! Prints messages of the API as JSON, with the field names of the protos and the canonical form of enums.

use std::sync::OnceLock;

use anyhow::{Context as _, Result};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};

static POOL: OnceLock<DescriptorPool> = OnceLock::new();

/// Returns `message` as JSON.
///
/// - `full_name`: name of its type, such as `sampan.operation.v1.Operation`.
///
/// # Errors
/// When the message is not of that type; then the program is wrong.
pub fn value<M: Message>(full_name: &str, message: &M) -> Result<serde_json::Value> {
    Ok(dynamic(full_name, message)?.serialize_with_options(serde_json::value::Serializer, &options())?)
}

/// Returns `message` as JSON text, its fields in the order of the proto.
///
/// # Errors
/// As [`value`].
pub fn text<M: Message>(full_name: &str, message: &M) -> Result<String> {
    let mut text = Vec::new();
    let mut serializer = serde_json::Serializer::new(&mut text);
    dynamic(full_name, message)?.serialize_with_options(&mut serializer, &options())?;
    Ok(String::from_utf8(text)?)
}

fn options() -> SerializeOptions {
    SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(false).skip_default_fields(true)
}

fn dynamic<M: Message>(full_name: &str, message: &M) -> Result<DynamicMessage> {
    let pool = match POOL.get() {
        Some(pool) => pool,
        None => {
            let pool =
                DescriptorPool::decode(sampan_proto::FILE_DESCRIPTOR_SET).context("the descriptors are unreadable")?;
            POOL.get_or_init(|| pool)
        }
    };
    let descriptor = pool.get_message_by_name(full_name).with_context(|| format!("there is no message {full_name}"))?;
    Ok(DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())?)
}

/// Prints `message` as one line of JSON.
///
/// # Errors
/// As [`value`], and when standard output is closed.
pub fn print<M: Message>(full_name: &str, message: &M) -> Result<()> {
    crate::output::words::line(&value(full_name, message)?.to_string())
}
