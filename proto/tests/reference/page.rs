//! Writes descriptors as a page of Markdown: packages by name, in each the services first.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    MethodDescriptorProto, ServiceDescriptorProto,
};

use super::comments::Comments;

// Numbers of fields in descriptor.proto, which are the steps of a path in the source.
const FILE_MESSAGES: i32 = 4;
const FILE_ENUMS: i32 = 5;
const FILE_SERVICES: i32 = 6;
const PARTS: i32 = 2;

const BEGINNING: &str = "\
# API reference

One folder under `sampan/` for each package; they import nothing but `google/protobuf/*`. `buf.gen.yaml` at the top of the
repository generates stubs. A refusal is a `google.rpc.Status` with `ErrorInfo` (domain `sampan`, one of the
[reasons](REASONS.md)) and, where they apply, `BadRequest`, `PreconditionFailure`, `QuotaFailure`, `RetryInfo` and `RequestInfo`.

This page is generated from the comments of the protos: `UPDATE_REFERENCE=1 cargo test -p sampan-proto --test reference`.
";

/// Returns the page of every package below `sampan`.
pub(super) fn page(set: &FileDescriptorSet) -> String {
    let mut packages: BTreeMap<&str, Vec<&FileDescriptorProto>> = BTreeMap::new();
    for file in set.file.iter().filter(|file| file.package().starts_with("sampan.")) {
        packages.entry(file.package()).or_default().push(file);
    }
    let mut page = BEGINNING.to_owned();
    page.push('\n');
    for (package, files) in &packages {
        let services: Vec<_> =
            files.iter().flat_map(|file| &file.service).map(|service| link(package, service.name())).collect();
        let services = if services.is_empty() { "types of the others".to_owned() } else { services.join(", ") };
        let _ = writeln!(page, "- [`{package}`](#{package}): {services}");
    }
    for (package, mut files) in packages {
        files.sort_by_key(|file| file.name());
        let _ = writeln!(page, "\n<a id=\"{package}\"></a>\n## {package}");
        for file in &files {
            let comments = Comments::of(file);
            for (path, service) in numbered(&[FILE_SERVICES], &file.service) {
                write_service(&mut page, package, service, &comments, &path);
            }
        }
        for file in &files {
            let comments = Comments::of(file);
            for (path, message) in numbered(&[FILE_MESSAGES], &file.message_type) {
                write_message(&mut page, package, message, &comments, &path);
            }
            for (path, kind) in numbered(&[FILE_ENUMS], &file.enum_type) {
                write_enum(&mut page, package, kind, &comments, &path);
            }
        }
    }
    page
}

fn write_service(
    page: &mut String,
    package: &str,
    service: &ServiceDescriptorProto,
    comments: &Comments<'_>,
    at: &[i32],
) {
    write_head(page, package, "service", service.name(), &comments.at(at));
    page.push_str("\n| call | asks with | answers with | |\n|---|---|---|---|\n");
    for (path, method) in numbered(&below(at, PARTS), &service.method) {
        let (asks, answers) = sides(package, method);
        let _ = writeln!(page, "| `{}` | {asks} | {answers} | {} |", method.name(), comments.cell(&path));
    }
}

fn sides(package: &str, method: &MethodDescriptorProto) -> (String, String) {
    let side = |name: &str, streams: bool| {
        let shown = shown(package, name);
        if streams { format!("stream of {shown}") } else { shown }
    };
    (side(method.input_type(), method.client_streaming()), side(method.output_type(), method.server_streaming()))
}

fn write_message(page: &mut String, package: &str, message: &DescriptorProto, comments: &Comments<'_>, at: &[i32]) {
    assert!(message.enum_type.is_empty(), "{}: enums inside of messages are not written", message.name());
    write_head(page, package, "message", message.name(), &comments.at(at));
    if message.field.is_empty() {
        page.push_str("\nIt has no fields.\n");
        return;
    }
    page.push_str("\n| no. | field | type | |\n|---|---|---|---|\n");
    for (path, field) in numbered(&below(at, PARTS), &message.field) {
        let _ = writeln!(
            page,
            "| {} | `{}` | {} | {} |",
            field.number(),
            field.name(),
            kind_of(package, message, field),
            comments.cell(&path)
        );
    }
}

fn write_enum(page: &mut String, package: &str, kind: &EnumDescriptorProto, comments: &Comments<'_>, at: &[i32]) {
    write_head(page, package, "enum", kind.name(), &comments.at(at));
    page.push_str("\n| no. | value | |\n|---|---|---|\n");
    for (path, value) in numbered(&below(at, PARTS), &kind.value) {
        let _ = writeln!(page, "| {} | `{}` | {} |", value.number(), value.name(), comments.cell(&path));
    }
}

fn write_head(page: &mut String, package: &str, what: &str, name: &str, comment: &str) {
    let _ = writeln!(page, "\n<a id=\"{package}.{name}\"></a>\n### {name} ({what})\n\n{comment}");
}

/// Returns the type of a field in words, with a link where it is one of ours.
fn kind_of(package: &str, message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let single = match field.r#type() {
        Type::Message | Type::Enum => shown(package, field.type_name()),
        scalar => format!("`{}`", scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase()),
    };
    let entry = message.nested_type.iter().find(|nested| {
        nested.options.as_ref().is_some_and(|options| options.map_entry())
            && field.type_name().ends_with(&format!(".{}.{}", message.name(), nested.name()))
    });
    if let Some([key, value]) = entry.map(|entry| entry.field.as_slice()) {
        return format!("map of {} to {}", kind_of(package, message, key), kind_of(package, message, value));
    }
    if field.label() == Label::Repeated {
        return format!("list of {single}");
    }
    if field.proto3_optional() {
        return format!("optional {single}");
    }
    match field.oneof_index.and_then(|index| message.oneof_decl.get(usize::try_from(index).ok()?)) {
        Some(oneof) => format!("{single}, one of `{}`", oneof.name()),
        None => single,
    }
}

/// Returns the name of a type as it is used: a link to its section, or to the documentation of Google's.
fn shown(package: &str, full_name: &str) -> String {
    let full_name = full_name.trim_start_matches('.');
    if let Some(name) = full_name.strip_prefix("google.protobuf.") {
        let section = name.to_lowercase();
        return format!("[`{name}`](https://protobuf.dev/reference/protobuf/google.protobuf/#{section})");
    }
    let short = full_name.strip_prefix(package).map_or(full_name, |rest| rest.trim_start_matches('.'));
    format!("[`{short}`](#{full_name})")
}

fn link(package: &str, name: &str) -> String {
    format!("[`{name}`](#{package}.{name})")
}

fn below(path: &[i32], step: i32) -> Vec<i32> {
    [path, &[step]].concat()
}

/// Returns the parts of a list, each with its path.
fn numbered<'a, T>(path: &[i32], parts: &'a [T]) -> Vec<(Vec<i32>, &'a T)> {
    (0_i32..).zip(parts).map(|(index, part)| (below(path, index), part)).collect()
}
