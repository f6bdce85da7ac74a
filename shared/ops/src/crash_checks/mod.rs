//! The checks that every saga has to pass, whatever it does.
//!
//! - [`repeat_each_step`]: a step that runs twice from one record does no more than once.
//! - [`fail_at_each_step`]: a failure ends cleanly, an error that passes is recovered from.
//! - [`crash_at_each_step`]: a process that dies in a step leaves work that another one brings to one effect.
//!
//! A service gives a factory of fresh worlds and a judge that looks at its fakes and at the record. That the
//! operation ends in the right state, leaves no open call behind and uses no more units than it asked for is
//! checked here.

mod meddler;
#[cfg(test)]
mod tests;
mod world;

use std::fmt;

use sampan_state::operation::Operation;

pub use self::meddler::Halt;
pub(crate) use self::meddler::halt_after_announcement;
pub use self::world::CheckWorld;

/// Moment at which a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Between the write that announces a mutating call and the call.
    Announced,
    /// Between the first run of the step, with its calls, and its commit.
    Ran,
    /// Between the run that the step is done with and its commit.
    Done,
}

impl Moment {
    /// Every moment.
    pub const ALL: [Self; 3] = [Self::Announced, Self::Ran, Self::Done];
}

/// What was done to the saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Nothing.
    Undisturbed,
    /// Every run of the step ran twice from the same record.
    Repeated(&'static str),
    /// The step failed for good instead of running.
    Failed(&'static str),
    /// The step met an error that passed, three times, before it ran.
    Recovered(&'static str),
    /// The process died in the step.
    Crashed(&'static str, Moment),
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undisturbed => f.write_str("undisturbed"),
            Self::Repeated(step) => write!(f, "step {step} repeated"),
            Self::Failed(step) => write!(f, "step {step} failed"),
            Self::Recovered(step) => write!(f, "step {step} met an error that passed"),
            Self::Crashed(step, Moment::Announced) => write!(f, "crash in step {step}, call announced and not made"),
            Self::Crashed(step, Moment::Ran) => write!(f, "crash after the first run of step {step}"),
            Self::Crashed(step, Moment::Done) => write!(f, "crash after step {step} was done"),
        }
    }
}

/// Runs the saga undisturbed, then with every step repeated, and returns how many scenarios passed.
///
/// # Errors
/// The scenario and what is wrong, in words.
pub async fn repeat_each_step<F>(
    factory: impl AsyncFn() -> CheckWorld<F>,
    judge: impl Fn(&F, &Operation, Scenario) -> Result<(), String>,
) -> Result<usize, String> {
    let steps = factory().await.saga.steps();
    let scenarios = steps.iter().map(|step| Scenario::Repeated(step.name));
    check([Scenario::Undisturbed].into_iter().chain(scenarios), factory, judge).await
}

/// Fails every step, once for good and once in a way that passes, and returns how many scenarios passed.
///
/// # Errors
/// The scenario and what is wrong, in words.
pub async fn fail_at_each_step<F>(
    factory: impl AsyncFn() -> CheckWorld<F>,
    judge: impl Fn(&F, &Operation, Scenario) -> Result<(), String>,
) -> Result<usize, String> {
    let steps = factory().await.saga.steps();
    let scenarios = steps.iter().flat_map(|step| [Scenario::Failed(step.name), Scenario::Recovered(step.name)]);
    check(scenarios, factory, judge).await
}

/// Kills the process at every moment of every step, and returns how many scenarios passed.
///
/// # Errors
/// The scenario and what is wrong, in words.
pub async fn crash_at_each_step<F>(
    factory: impl AsyncFn() -> CheckWorld<F>,
    judge: impl Fn(&F, &Operation, Scenario) -> Result<(), String>,
) -> Result<usize, String> {
    let steps = factory().await.saga.steps();
    let scenarios = steps.iter().flat_map(|step| Moment::ALL.map(|moment| Scenario::Crashed(step.name, moment)));
    check(scenarios, factory, judge).await
}

async fn check<F>(
    scenarios: impl Iterator<Item = Scenario>,
    factory: impl AsyncFn() -> CheckWorld<F>,
    judge: impl Fn(&F, &Operation, Scenario) -> Result<(), String>,
) -> Result<usize, String> {
    let mut passed = 0;
    for scenario in scenarios {
        let world = factory().await;
        let told = |problem: String| format!("{scenario}: {problem}");
        let ended = Box::pin(world.run(scenario)).await.map_err(told)?;
        world.judge_end(&ended, scenario).await.map_err(told)?;
        judge(&world.fakes, &ended, scenario).map_err(told)?;
        passed += 1;
    }
    Ok(passed)
}
