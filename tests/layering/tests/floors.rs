//! Every package imports only from the floors below its own, never sideways.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// The floor of each package of the product; what is not listed here fails the test.
fn floor(package: &str) -> Option<u8> {
    Some(match package {
        "sampan-core" | "sampan-proto" => 1,
        "sampan-state" | "sampan-cloud" => 2,
        "sampan-ops" | "sampan-cloud-tencent" | "sampan-cloud-alibaba" => 3,
        "sampan-chassis" => 4,
        "sampan-export-service" | "sampan-copy-service" | "sampan-share-service" => 5,
        "sampan-billing-service" | "sampan-simulator" => 5,
        "sampan" => 6,
        // Tests and benchmarks stand beside the product and may use any of it; the end-to-end tests bring the
        // harness that starts processes.
        "sampan-tests-e2e" => 7,
        name if name.starts_with("sampan-tests-") => 8,
        _ => return None,
    })
}

/// Edges that the floors alone would permit and the design does not: the simulator is the judge in tests, so it
/// shares no code with what it judges but the words of `sampan-core`.
fn is_forbidden(from: &str, to: &str) -> bool {
    from == "sampan-simulator" && to != "sampan-core"
}

#[test]
fn every_edge_between_packages_runs_downwards() {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo metadata runs");
    let packages: BTreeMap<&str, _> =
        metadata.packages.iter().map(|package| (package.name.as_str(), package)).collect();
    assert!(packages.len() >= 10, "the whole workspace is looked at");
    let mut wrong = Vec::new();
    for (name, package) in &packages {
        let Some(from) = floor(name) else {
            wrong.push(format!("{name} has no floor; add it to tests/layering"));
            continue;
        };
        let ours = package.dependencies.iter().filter(|dependency| packages.contains_key(dependency.name.as_str()));
        for dependency in ours {
            let to = floor(&dependency.name).unwrap_or(u8::MAX);
            let edge = (*name, dependency.name.as_str());
            if to >= from || is_forbidden(edge.0, edge.1) {
                let kind = match dependency.kind {
                    DependencyKind::Development => " (for tests)",
                    _ => "",
                };
                wrong.push(format!("{name} (floor {from}) imports {} (floor {to}){kind}", dependency.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_binary_names_concrete_clouds() {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo metadata runs");
    let importers = metadata.packages.iter().filter(|package| {
        let imports = |name: &str| package.dependencies.iter().any(|dependency| dependency.name == name);
        imports("sampan-cloud-tencent") || imports("sampan-cloud-alibaba")
    });
    let names: Vec<_> =
        importers.map(|package| package.name.as_str()).filter(|name| !name.starts_with("sampan-tests-")).collect();
    assert_eq!(names, ["sampan"]);
}
