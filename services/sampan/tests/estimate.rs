//! `sampan estimate` as scripts call it: without a server, and with one.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

const FIXED: &str = "estimate export --cloud tencent --site intl --region ap-guangzhou --disk-gib 50 --disk-gib 200 \
                     --format raw --storage-class STANDARD --keep-days 30 --public-downloads 1 --output json";

fn sampan(line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sampan")).args(line.split_whitespace()).output().expect("sampan runs")
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn json(line: &str) -> Value {
    serde_json::from_str(&text(&sampan(line))).expect("JSON")
}

#[test]
fn the_line_that_users_rely_on_prints_the_total_in_its_form() {
    let printed = text(&sampan(FIXED));
    let total = r#""total":{"low":"31.000011","expected":"31.001601","high":"31.055201","currency":"USD"}"#;
    assert!(printed.contains(total), "{printed}");
    assert_eq!(printed.lines().count(), 1);
}

#[test]
fn the_table_has_a_bar_for_what_costs_and_the_total() {
    let printed = text(&sampan(&FIXED.replace("--output json", "")));
    let line = |word: &str| printed.lines().find(|line| line.starts_with(word)).expect("a line").to_owned();
    assert!(line("public downstream traffic").contains("████████████████████"), "{printed}");
    assert!(!line("upstream traffic").contains('█'));
    assert!(line("total").contains("31.001601 USD (31.000011 to 31.055201)"));
}

#[test]
fn rows_for_a_spreadsheet_end_with_the_total() {
    let printed = text(&sampan(&FIXED.replace("json", "csv")));
    let mut rows = csv::Reader::from_reader(printed.as_bytes());
    let rows: Vec<_> = rows.records().map(|row| row.expect("a row")).collect();
    let last = rows.last().expect("rows");
    assert_eq!((last.get(1), last.get(16)), (Some("total"), Some("31.001601")));
    assert!(rows.iter().any(|row| row.get(1) == Some("egress_public") && row.get(16) == Some("25.000000")));
}

#[test]
fn classes_and_regions_are_compared_side_by_side() {
    let classes = json(&format!("{FIXED} --compare storage-class"));
    let names: Vec<_> = classes["estimates"].as_array().expect("a list").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["STANDARD", "STANDARD_IA", "MAZ_STANDARD", "MAZ_STANDARD_IA", "ARCHIVE", "DEEP_ARCHIVE"]);
    let regions = json(&format!("{FIXED} --compare region"));
    let tokyo = regions["estimates"].as_array().expect("a list").iter().find(|one| one["name"] == "ap-tokyo");
    assert_eq!(tokyo.expect("Tokyo")["estimate"]["total"]["expected"], "22.501601");
    let table = text(&sampan(&format!("{} --compare region", FIXED.replace("--output json", ""))));
    assert!(table.lines().any(|line| line.starts_with("ap-jakarta") && line.contains("≥ 0.000000")), "{table}");
    let copies = "estimate copy --cloud alibaba --site cn --region cn-beijing --to cn-hangzhou --disk-gib 1";
    assert!(text(&sampan(&format!("{copies} --compare region"))).contains("ap-southeast-1"));
    assert_eq!(sampan(&format!("{copies} --compare storage-class")).status.code(), Some(2));
}

#[test]
fn a_refusal_names_every_field_and_ends_with_three() {
    let refused = sampan(
        "estimate export --cloud tencent --site intl --region nowhere --disk-gib -1 --keep-days 0 --output json",
    );
    assert_eq!(refused.status.code(), Some(3));
    let answer: Value = serde_json::from_slice(&refused.stdout).expect("JSON");
    assert_eq!(answer["error"]["reason"], "REGION_UNKNOWN");
    assert_eq!(answer["error"]["details"].as_array().map(Vec::len), Some(3));
}

#[test]
fn prices_of_your_own_win_and_a_wrong_file_is_refused_with_its_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("contract.csv");
    let header = "provider,site,region_code,item,storage_class,unit,tier_from,tier_to,price,currency,source,source_date,confidence";
    let price = "tencent,intl,ap-guangzhou,egress_public,STANDARD,GB,0,,0.01,USD,contract 7,2026-01-01,high";
    std::fs::write(&path, format!("{header}\n{price}\n")).expect("written");
    let with = |more: &str| format!("{FIXED} --prices {} {more}", path.display());
    assert_eq!(json(&with(""))["total"]["expected"], "8.501601");
    let alone = json(&with("--only-these-prices"));
    assert_eq!((&alone["total"]["expected"], &alone["lower_bound"]), (&"2.500000".into(), &true.into()));
    std::fs::write(&path, format!("{header}\n{price}\n{price}\n")).expect("written");
    let refused = sampan(&with(""));
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(said.contains("contract.csv, row 3") && said.contains("duplicate of row 2"), "{said}");
}

/// A server that ends with the test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_answers_as_the_program_does_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sampan"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--store", "memory"]).current_dir(folder.path());
    let mut served = Served(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts"));
    let mut ready = String::new();
    let stdout = served.0.stdout.take().expect("a pipe");
    BufReader::new(stdout).read_line(&mut ready).expect("the ready line");
    let ready: Value = serde_json::from_str(&ready).expect("JSON");
    let url = ready["listeners"][0]["url"].as_str().expect("an address");
    for line in [
        FIXED.to_owned(),
        FIXED.replace("--disk-gib 200", "--compare region"),
        "estimate copy --cloud tencent --site cn --region ap-beijing --to ap-hongkong --disk-gib 9 --output json".into(),
        "estimate download --cloud alibaba --site cn --region cn-hangzhou --object-gib 0.5 --public-downloads 2 --output csv".into(),
    ] {
        assert_eq!(text(&sampan(&format!("{line} --endpoint {url}"))), text(&sampan(&line)), "{line}");
    }
    let nobody = sampan(&format!("{FIXED} --endpoint http://127.0.0.1:1"));
    assert_eq!(nobody.status.code(), Some(5));
}
