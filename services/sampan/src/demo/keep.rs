//! Says how to call what goes on running after the demo.

use sampan_core::{Clock as _, Cloud};

use super::say;
use super::scenes::{GOLDEN_TENCENT, TENCENT_REGION, example, options};
use super::stage::Stage;
use crate::client::Failure;
use crate::output::style;

/// Prints the address and commands that work when they are pasted into another terminal.
pub(super) fn explain(stage: &Stage) -> Result<(), Failure> {
    let folder = std::env::current_exe().ok().and_then(|path| Some(path.parent()?.to_owned()));
    let folder = folder.map(|folder| folder.display().to_string()).unwrap_or_default();
    let tencent = options(&example(Cloud::Tencent));
    let alibaba = options(&example(Cloud::Alibaba));
    let golden = format!("--cloud tencent --region {TENCENT_REGION} --image {GOLDEN_TENCENT}");
    say(&style::bold(
        "Everything goes on running until Ctrl-C. In another terminal, paste the first line, then any other:",
    ))?;
    say(&format!("  export SAMPAN_ENDPOINT={} PATH='{folder}':\"$PATH\"", stage.endpoint))?;
    say("  sampan operations list")?;
    say("  sampan quota")?;
    say(&format!("  sampan preview export {tencent}"))?;
    say(&format!("  sampan export {alibaba}"))?;
    say(&format!("  sampan preview copy {golden} --to ap-shanghai --name web-2"))?;
    say(&format!("  sampan share list {golden}"))?;
    say("  sampan copy --help")?;
    say(&format!("  curl -s {}/_sim/audit | tail -n 5", stage.simulator.addresses().control))?;
    say(&format!(
        "It is {} in there; images to try are img-ubuntu01, img-debian01, img-windows1 and img-market01.",
        stage.clock.now().strftime("%Y-%m-%d %H:%M UTC")
    ))
}
