//! The price book: what it holds, what it refuses, how a user's file changes it.

use std::sync::Arc;

use sampan_billing_service::book::COLUMNS;
use sampan_billing_service::{Billing, PriceBook};
use sha2::{Digest as _, Sha256};

use super::asking::{amount, built_in, clock_at, export, line};

const GOOD: &str = "tencent,intl,ap-guangzhou,storage,STANDARD,GB-month,0,,0.01,USD,contract 7,2026-01-01,high";

fn file(rows: &[&str]) -> String {
    format!("{}\n{}\n", COLUMNS.join(","), rows.join("\n"))
}

/// Row and message of the one thing that is wrong.
fn wrong(rows: &[&str]) -> (u64, String) {
    let error = PriceBook::replaced("contract.csv", &file(rows)).unwrap_err();
    assert_eq!(error.problems.len(), 1, "{error}");
    (error.problems[0].row, error.problems[0].message.clone())
}

#[test]
fn the_built_in_prices_are_complete_and_hashed_as_the_file_is() {
    let book = built_in();
    let bytes = include_bytes!("../../data/prices.csv");
    assert_eq!(book.rows().len(), 1_476);
    assert_eq!(book.version(), "2026-11-21");
    assert_eq!(book.sha256(), hex::encode(Sha256::digest(bytes)));
}

#[test]
fn each_kind_of_wrong_row_is_refused_with_its_number() {
    let cases = [
        ("0,,0.01,USD,contract 7,2026-01-01,high", "0,,0.01,USD,,2026-01-01,high", "source is missing"),
        ("2026-01-01", "", "source_date is missing"),
        ("2026-01-01", "yesterday", "`yesterday` is no date of the form YYYY-MM-DD, YYYY-MM or YYYY"),
        ("2026-01-01", "2026-02-30", "`2026-02-30` is no date of the form YYYY-MM-DD, YYYY-MM or YYYY"),
        ("GB-month", "TB-month", "`TB-month` is no unit"),
        ("GB-month", "GB", "storage is not priced per GB"),
        ("storage", "storing", "`storing` is no item"),
        ("tencent", "aws", "`aws` is no cloud: the clouds are tencent and alibaba"),
        ("intl", "eu", "`eu` is no site"),
        ("USD", "CNY", "the site intl bills in USD, not in `CNY`"),
        ("0.01", "-0.01", "the price -0.01 is negative"),
        ("0.01", "free", "`free` is no decimal price"),
        ("0.01", "0.000000001", "the price 0.000000001 has more than 8 decimal places"),
        ("0.01", "1000000001", "the price 1000000001 is beyond 1000000000"),
        ("high", "sure", "`sure` is no confidence"),
        ("0,,", "0,0,", "the tier from 0 to 0 is empty"),
        ("0,,", "-1,,", "tier_from `-1` is no whole number up to 4294967296"),
        ("0,,", "5,,", "the first tier of tencent/intl/ap-guangzhou/storage/STANDARD does not begin at 0"),
        ("ap-guangzhou", "", "region_code is missing"),
        (",high", "", "it has 12 columns instead of 13"),
    ];
    for (from, to, message) in cases {
        let bad = GOOD.replacen(from, to, 1);
        let before = GOOD.replace("ap-guangzhou", "ap-beijing");
        assert_eq!(wrong(&[&before, &bad]), (3, message.to_owned()));
    }
}

#[test]
fn tiers_that_do_not_fit_together_are_refused_with_their_rows() {
    let tier = |bounds: &str| GOOD.replace("0,,", bounds);
    let key = "tencent/intl/ap-guangzhou/storage/STANDARD";
    assert_eq!(wrong(&[GOOD, GOOD]), (3, format!("{key} is a duplicate of row 2")));
    assert_eq!(wrong(&[&tier("0,10,"), &tier("9,,")]), (3, format!("{key} overlaps the tier of row 2")));
    assert_eq!(wrong(&[&tier("0,,"), &tier("10,,")]), (3, format!("{key} overlaps the tier of row 2")));
    assert_eq!(wrong(&[&tier("0,10,"), &tier("11,,")]), (3, format!("{key} leaves a gap after the tier of row 2")));
    let hourly = tier("10,,").replace("GB-month", "GB-hour");
    assert_eq!(wrong(&[&tier("0,10,"), &hourly]), (3, format!("{key} is per GB-hour and row 2 per GB-month")));
    assert!(PriceBook::replaced("contract.csv", &file(&[&tier("10,,"), &tier("0,10,")])).is_ok(), "in any order");
}

#[test]
fn all_wrong_rows_are_told_at_once_and_nothing_is_loaded() {
    let rows = [GOOD.replace("USD", "EUR"), GOOD.replace("high", "?"), GOOD.to_owned()];
    let rows: Vec<_> = rows.iter().map(String::as_str).collect();
    let error = PriceBook::extended("contract.csv", &file(&rows)).unwrap_err();
    assert_eq!(error.problems.iter().map(|problem| problem.row).collect::<Vec<_>>(), [2, 3]);
    assert!(error.to_string().contains("contract.csv, row 2: the site intl bills in USD"), "{error}");
}

#[test]
fn a_file_without_header_or_prices_is_refused() {
    for text in ["", "\n", GOOD, &file(&[]), "a,b,c\n1,2,3\n", "\u{feff}"] {
        assert!(PriceBook::replaced("contract.csv", text).is_err(), "{text}");
    }
}

#[test]
fn a_file_as_spreadsheets_write_it_is_read() {
    let quoted = GOOD.replace("contract 7", "\"contract 7, page \"\"2\"\"\nand 3\"");
    let text = format!("\u{feff}{}", file(&[&quoted])).replace('\n', "\r\n");
    let book = PriceBook::replaced("contract.csv", &text).unwrap();
    assert_eq!(&*book.rows()[0].source, "contract 7, page \"2\"\r\nand 3");
}

#[test]
fn a_users_file_wins_over_the_built_in_prices_and_leaves_the_rest() {
    let text = file(&[GOOD]);
    let book = PriceBook::extended("contract.csv", &text).unwrap();
    assert_eq!(book.rows().len(), 1_476);
    assert!(book.version().starts_with("2026-11-21+contract.csv@"), "{}", book.version());
    let both = [include_str!("../../data/prices.csv"), &text].concat();
    assert_eq!(book.sha256(), hex::encode(Sha256::digest(both)));
    let billing = Billing::new(Arc::new(book), clock_at("2026-11-21"));
    let estimate = billing.estimate_export(&export()).unwrap().estimate.unwrap();
    let storage = line(&estimate, "storage");
    assert_eq!(amount(storage), "1.000000");
    let price = storage.unit_price.clone().unwrap();
    assert_eq!((price.file.as_str(), price.row, price.source.as_str()), ("contract.csv", 2, "contract 7"));
    assert_eq!(line(&estimate, "ingress").unit_price.clone().unwrap().file, "built-in");
    assert_eq!(estimate.price_book.unwrap().files.len(), 2);
}

#[test]
fn one_tier_of_the_users_replaces_all_tiers_of_a_price() {
    let snapshot = "tencent,intl,ap-guangzhou,snapshot,,GB-hour,0,,0.00001,USD,contract 7,2026-01-01,high";
    let book = PriceBook::extended("contract.csv", &file(&[snapshot])).unwrap();
    assert_eq!(book.rows().len(), 1_475, "two tiers went and one came");
}
