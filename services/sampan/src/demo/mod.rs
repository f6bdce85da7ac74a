//! `sampan demo`: the main job on simulated clouds, in one process and over the real wire, and every claim checked.
//!
//! [`stage`] starts simulator, services and store, [`scenes`] is what is shown, in order, [`checks`] counts what was
//! proven, [`keep`] says how to go on by hand. [`disk`] makes the disk that is exported, [`image`] the images of it,
//! [`compare`] looks at the bytes that came back, [`prompt`] shows commands, [`time`] keeps the clock away from midnight.

mod checks;
mod compare;
mod disk;
mod fat;
mod image;
mod keep;
mod prompt;
mod scenes;
mod stage;
mod time;

use crate::cli::DemoArgs;
use crate::client::Failure;
use crate::exit::Exit;
use crate::output::{style, words};
use crate::wiring::stop_signal;

use checks::Checks;
use stage::Stage;

/// Runs the demo; the exit code is 0 only when every check passed.
///
/// # Errors
/// [`Failure`] when the demo cannot begin; what goes wrong later is a failed check.
pub async fn demo(args: DemoArgs) -> Result<Exit, Failure> {
    let stage = Stage::set(&args).await?;
    let mut checks = Checks::default();
    let played = tokio::select! {
        played = scenes::play(&stage, &mut checks) => played,
        () = stop_signal() => Err(interrupted()),
    };
    let exit = close(&stage, &checks, played, args.keep).await;
    stage.strike().await;
    if matches!(exit, Ok(Exit::Interrupted)) {
        eprintln!("stopped; everything that the demo started is gone");
    }
    exit
}

async fn close(stage: &Stage, checks: &Checks, played: Result<(), Failure>, keep: bool) -> Result<Exit, Failure> {
    let mut failed = checks.failed();
    if let Err(failure) = &played {
        if failure.exit == Exit::Interrupted {
            return Ok(Exit::Interrupted);
        }
        failed += 1;
        say(&failure.within(style::width()))?;
    }
    if keep {
        keep::explain(stage)?;
    }
    say(&format!("demo: {} checks passed, {failed} failed", checks.passed()))?;
    if keep {
        stop_signal().await;
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
}

/// Says that a person ended the demo.
fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted, "the demo was ended")
}

/// Prints one line.
fn say(line: &str) -> Result<(), Failure> {
    words::line(line).map_err(|error| unseen(&error))
}

/// Says what begins with `first`, on lines that fit.
fn tell(first: &str, text: &str) -> Result<(), Failure> {
    words::paragraph(first, text).map_err(|error| unseen(&error))
}

fn unseen(error: &anyhow::Error) -> Failure {
    Failure::new(Exit::Failed, format!("the demo cannot be shown: {error:#}"))
}
