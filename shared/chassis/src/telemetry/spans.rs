//! Decides how the fields of a span are kept for the JSON lines within it: written once, added to without being read.
//!
//! Every call has a span, whether a line is written within it or not, so this is on the way of every call.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FormatFields, FormattedFields};

/// Keeps the fields of a span as one JSON object.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SpanFields;

impl<'writer> FormatFields<'writer> for SpanFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'writer>, fields: R) -> fmt::Result {
        writer.write_char('{')?;
        write_fields(&mut writer, fields, true)?;
        writer.write_char('}')
    }

    fn add_fields(&self, current: &'writer mut FormattedFields<Self>, fields: &Record<'_>) -> fmt::Result {
        let is_first = match current.fields.pop() {
            // Of a name that comes twice, the later value counts for whoever reads the object.
            Some('}') => current.fields.len() == 1,
            _ => {
                current.fields.clear();
                current.fields.push('{');
                true
            }
        };
        let mut writer = current.as_writer();
        write_fields(&mut writer, fields, is_first)?;
        writer.write_char('}')
    }
}

fn write_fields(writer: &mut Writer<'_>, fields: impl RecordFields, is_first: bool) -> fmt::Result {
    let mut members = Members { writer, is_first, written: Ok(()) };
    fields.record(&mut members);
    members.written
}

/// Writes fields as members of a JSON object.
struct Members<'a, 'writer> {
    writer: &'a mut Writer<'writer>,
    is_first: bool,
    written: fmt::Result,
}

impl Members<'_, '_> {
    fn write(&mut self, field: &Field, json: &str) {
        let comma = if std::mem::take(&mut self.is_first) { "" } else { "," };
        // Names are Rust identifiers with dots: nothing in them is to be escaped.
        let name = field.name().trim_start_matches("r#");
        self.written = self.written.and_then(|()| write!(self.writer, "{comma}\"{name}\":{json}"));
    }

    fn write_text(&mut self, field: &Field, text: &str) {
        match serde_json::to_string(text) {
            Ok(json) => self.write(field, &json),
            Err(_) => self.written = Err(fmt::Error),
        }
    }
}

impl Visit for Members<'_, '_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        // Neither NaN nor infinity is a number of JSON.
        if value.is_finite() { self.write(field, &value.to_string()) } else { self.write(field, "null") }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.write(field, &value.to_string());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.write(field, &value.to_string());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.write(field, if value { "true" } else { "false" });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.write_text(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.write_text(field, &format!("{value:?}"));
    }
}
