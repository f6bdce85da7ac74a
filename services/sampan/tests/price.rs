//! What a job costs, on the command line: in previews, as a limit of a start, and for an image that the cloud knows.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use std::process::{Command, Output};

use support::{ALIBABA, TENCENT, World, bounded, text};

fn told(output: &Output) -> (i32, String) {
    (output.status.code().unwrap(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn a_preview_tells_the_price_and_every_fee_that_costs() {
    let world = World::start();
    let (code, printed) = told(&world.run(&format!("preview export {TENCENT} --public-downloads 1 --keep-days 60")));
    assert_eq!(code, 0);
    for expected in ["price:   ", " CNY", "for 60 days", "object storage", "public downstream traffic"] {
        assert!(printed.contains(expected), "{expected} in {printed}");
    }
    assert!(!printed.contains("data retrieval"), "what costs nothing is left out: {printed}");
    let json = &world.json(&format!("preview export {TENCENT}"))[0];
    assert_eq!(json["estimate"]["currency"], "CNY");
    let (_, alibaba) = told(&world.run(&format!("preview export {ALIBABA}")));
    assert!(alibaba.contains("object storage"), "{alibaba}");
}

#[test]
fn a_start_above_its_limit_is_refused_and_one_below_tells_both_estimates_at_its_end() {
    let world = World::start();
    let (code, refused) = told(&world.run(&format!("export {TENCENT} --max-cost 0.01CNY")));
    assert_eq!(code, 3);
    assert!(refused.contains("COST_ABOVE_LIMIT") && refused.contains("above the limit"), "{refused}");
    let (code, wrong) = told(&world.run(&format!("export {TENCENT} --max-cost 100usd")));
    assert_eq!(code, 3);
    assert!(wrong.contains("CURRENCY_OF_OTHER_SITE") && wrong.contains("CNY"), "{wrong}");
    let (code, done) = told(&world.run(&format!("export {TENCENT} --max-cost 100")));
    assert_eq!(code, 0, "{done}");
    assert!(done.contains("price:  ") && done.contains("before: "), "{done}");
}

#[test]
fn an_image_of_the_cloud_is_priced_as_its_disks_are() {
    let world = World::start();
    let asked = "estimate export --cloud tencent --region ap-guangzhou --public-downloads 1 --image img-ubuntu01";
    let by_image = world.json(asked)[0]["total"].clone();
    let by_disks = "estimate export --cloud tencent --region ap-guangzhou --public-downloads 1 --site cn --disk-gib 50";
    assert_eq!(by_image, world.json(by_disks)[0]["total"]);
    let (code, missing) = told(&world.run(&format!("{asked}9")));
    assert_eq!(code, 3);
    assert!(missing.contains("IMAGE_NOT_FOUND"), "{missing}");
    let (code, both) = told(&world.run(&format!("{asked} --disk-gib 50")));
    assert_eq!(code, 2, "{both}");
}

#[test]
fn each_role_has_an_executable_that_is_serve_with_that_role() {
    for (role, path) in
        [("export", env!("CARGO_BIN_EXE_sampan-export")), ("billing", env!("CARGO_BIN_EXE_sampan-billing"))]
    {
        let (code, printed) = told(&bounded(Command::new(path).arg("--print-config")));
        assert_eq!(code, 0, "{printed}");
        assert!(printed.contains(&format!("roles = [\"{role}\"]")), "{printed}");
    }
    for path in [env!("CARGO_BIN_EXE_sampan-copy"), env!("CARGO_BIN_EXE_sampan-share")] {
        let (code, printed) = told(&bounded(Command::new(path).arg("--help")));
        assert!(code == 0 && printed.contains("sampan serve"), "{printed}");
    }
}
