//! Reads the fields that several requests have, and gathers what is wrong with all of them.

use std::str::FromStr;

use sampan_core::{Cloud, OperationId, Reason};
use sampan_proto::image::v1 as image_pb;

use crate::status::{FieldProblem, Problem};

/// Gathers wrong fields, so that a caller learns of all of them at once.
#[derive(Debug, Default)]
pub struct Fields {
    wrong: Vec<FieldProblem>,
}

impl Fields {
    /// Starts with nothing wrong.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that `field` is wrong.
    pub fn refuse(&mut self, field: &str, reason: Reason, message: impl Into<String>) {
        self.wrong.push(FieldProblem { field: field.to_owned(), reason, message: message.into() });
    }

    /// Reads a text that must be there and well-formed.
    pub fn required<T: FromStr<Err: ToString>>(&mut self, field: &str, text: &str) -> Option<T> {
        if text.is_empty() {
            self.refuse(field, Reason::FieldRequired, "it is missing");
            return None;
        }
        self.optional(field, text)
    }

    /// Reads a text that may be empty, but not malformed.
    pub fn optional<T: FromStr<Err: ToString>>(&mut self, field: &str, text: &str) -> Option<T> {
        if text.is_empty() {
            return None;
        }
        text.parse().map_err(|error: T::Err| self.refuse(field, Reason::FieldMalformed, error.to_string())).ok()
    }

    /// Reads a cloud that must be there.
    pub fn required_cloud(&mut self, field: &str, number: i32) -> Option<Cloud> {
        if number == i32::from(image_pb::Cloud::Unspecified) {
            self.refuse(field, Reason::FieldRequired, "it is missing");
        }
        self.optional_cloud(field, number)
    }

    /// Reads a cloud that may be unspecified.
    pub fn optional_cloud(&mut self, field: &str, number: i32) -> Option<Cloud> {
        match image_pb::Cloud::try_from(number) {
            Ok(image_pb::Cloud::Unspecified) => None,
            Ok(image_pb::Cloud::Tencent) => Some(Cloud::Tencent),
            Ok(image_pb::Cloud::Alibaba) => Some(Cloud::Alibaba),
            Err(_) => {
                self.refuse(field, Reason::EnumValueUnknown, format!("{number} is no cloud that this version knows"));
                None
            }
        }
    }

    /// Reads the size of a page: 0 means `default`, more than `most` means `most`.
    pub fn page_size(&mut self, field: &str, asked: i32, default: u32, most: u32) -> u32 {
        match u32::try_from(asked) {
            Ok(0) => default,
            Ok(size) => size.min(most),
            Err(_) => {
                self.refuse(field, Reason::NumberOutOfRange, format!("{asked} is negative"));
                default
            }
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// All fields that were refused, if any.
    pub fn finish(self) -> Result<(), Problem> {
        if self.wrong.is_empty() { Ok(()) } else { Err(Problem::fields(self.wrong)) }
    }
}

/// Reads the name of an operation.
///
/// # Errors
/// A missing or malformed name.
pub fn operation_name(field: &str, name: &str) -> Result<OperationId, Problem> {
    let mut fields = Fields::new();
    let id = fields.required(field, name);
    fields.finish()?;
    id.ok_or_else(|| Problem::field(Reason::FieldRequired, field, "it is missing"))
}
