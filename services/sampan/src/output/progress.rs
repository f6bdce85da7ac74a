//! Progress bars of an operation: one line per target, redrawn as it changes.
//!
//! Without a terminal, a plain line is written for each change of state instead.

use std::collections::BTreeMap;
use std::time::Duration;

use console::measure_text_width;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use sampan_proto::operation::v1::{Artifact, Operation, Target, TargetState};

use super::{style, words};

/// Columns of a bar.
const WIDTH: usize = 24;
/// Columns of the longest label that is shown whole, such as an account in a region.
const LABEL: usize = 34;
/// Columns of the block that wanders through a bar without percent.
const BLOCK: usize = 6;
/// Bars that are drawn.
const MOST_BARS: usize = 12;
const TICK: Duration = Duration::from_millis(120);

/// Shows an operation while it runs.
#[derive(Debug)]
pub struct OperationProgress {
    bars: MultiProgress,
    head: ProgressBar,
    by_target: BTreeMap<String, TargetBar>,
    last_line: String,
}

/// The line of one target.
#[derive(Debug)]
struct TargetBar {
    bar: ProgressBar,
    /// Columns of the label, the same for every line.
    label: usize,
    is_wandering: bool,
}

impl OperationProgress {
    /// Begins; draws on standard error, so that standard output stays clean.
    pub fn begin() -> Self {
        let bars = MultiProgress::with_draw_target(draw_target(true));
        let head = bars.add(ProgressBar::new_spinner().with_style(template("{spinner} {elapsed:>4}  {wide_msg}")));
        head.enable_steady_tick(TICK);
        Self { bars, head, by_target: BTreeMap::new(), last_line: String::new() }
    }

    /// Shows the newest state.
    pub fn show(&mut self, operation: &Operation) {
        self.forget(operation);
        // Short enough for a narrow terminal; every command takes the name like this too.
        self.head.set_message(headline(operation, operation.name.trim_start_matches("operations/")));
        // As many lines as a person takes in at once; the head tells of the rest.
        let label = operation.targets.iter().map(|target| measure_text_width(&target.label)).max().unwrap_or(0);
        for target in operation.targets.iter().take(MOST_BARS) {
            let bars = &self.bars;
            let add = || TargetBar::add(bars, target, label.min(LABEL));
            let line = self.by_target.entry(target.id.clone()).or_insert_with(add);
            line.draw(target, label.min(LABEL));
        }
        self.plain(headline(operation, &operation.name), operation);
    }

    /// Takes away the lines of targets that are no more.
    fn forget(&mut self, operation: &Operation) {
        self.by_target.retain(|id, line| {
            let stays = operation.targets.iter().any(|target| target.id == *id);
            if !stays {
                line.bar.finish_and_clear();
            }
            stays
        });
    }

    /// Ends and leaves the last state of every target on the screen.
    pub fn finish(&self) {
        self.head.finish_and_clear();
        for line in self.by_target.values() {
            line.bar.abandon();
        }
    }

    fn plain(&mut self, line: String, operation: &Operation) {
        if style::is_redrawable() || line == self.last_line {
            return;
        }
        let percent = operation.progress_percent.map_or_else(String::new, |percent| format!(", {percent} %"));
        eprintln!("{line}{percent}");
        self.last_line = line;
    }
}

impl TargetBar {
    fn add(bars: &MultiProgress, target: &Target, label: usize) -> Self {
        let bar = bars.add(ProgressBar::new(100).with_style(counted(label)));
        bar.set_prefix(target.label.clone());
        Self { bar, label, is_wandering: false }
    }

    fn draw(&mut self, target: &Target, label: usize) {
        let state = TargetState::try_from(target.state).unwrap_or_default();
        let wanders = state == TargetState::Running && target.progress_percent.is_none();
        // Targets that become known later may have longer labels.
        if wanders != self.is_wandering || label != self.label {
            (self.is_wandering, self.label) = (wanders, label);
            self.bar.set_style(if wanders { wandering(self.label) } else { counted(self.label) });
            if wanders {
                self.bar.enable_steady_tick(TICK);
            } else {
                self.bar.disable_steady_tick();
            }
        }
        if let Some(percent) = target.progress_percent {
            self.bar.set_position(u64::from(percent));
        }
        let word = words::target_state(target.state);
        self.bar.set_message(match target.progress_percent {
            // The cloud tells no percent: nothing is made up.
            None if wanders => "no percent told".to_owned(),
            None => word.to_owned(),
            Some(percent) => format!("{percent:>3} % {word}"),
        });
    }
}

fn headline(operation: &Operation, name: &str) -> String {
    let state = words::operation_state(operation.state);
    let quota = operation.quota.as_ref();
    match quota.and_then(|quota| quota.waiting_position.map(|position| (position, quota))) {
        Some((position, quota)) => {
            let start = words::time(quota.earliest_start_time.as_ref());
            format!("{name}: {state}, place {position}, not before {start}")
        }
        None if operation.step.is_empty() || operation.state().as_str_name().ends_with("QUOTA") => {
            format!("{name}: {state}")
        }
        None => format!("{name}: {}", words::step(&operation.step)),
    }
}

/// Returns where bars are drawn: standard error when it can be redrawn and `wanted`, nowhere otherwise.
fn draw_target(wanted: bool) -> ProgressDrawTarget {
    if wanted && style::is_redrawable() { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() }
}

/// Returns the bar of one downloaded artifact: bytes, rate, time to go.
pub fn download_bar(artifact: &Artifact, wanted: bool) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(artifact.size_bytes), draw_target(wanted));
    bar.set_style(style(
        "  {prefix:13!} [{wide_bar}] {binary_bytes:>10}/{binary_total_bytes} {binary_bytes_per_sec:>12} eta {eta}",
    ));
    bar.set_prefix(super::operation::disk(artifact));
    bar
}

fn counted(label: usize) -> ProgressStyle {
    style(&format!("  {{prefix:{label}!}} [{{bar:{WIDTH}}}] {{wide_msg}}"))
}

/// A block that goes to and fro: something happens, and nobody knows how much.
fn wandering(label: usize) -> ProgressStyle {
    let there = 0..=WIDTH - BLOCK;
    let back = there.clone().rev().skip(1);
    let frame = |at: usize| format!("{}{}{}", " ".repeat(at), "▒".repeat(BLOCK), " ".repeat(WIDTH - BLOCK - at));
    let frames: Vec<String> = there.chain(back).map(frame).collect();
    let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
    template(&format!("  {{prefix:{label}!}} [{{spinner}}] {{wide_msg}}")).tick_strings(&frames)
}

fn template(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Returns the style of a template; a template of ours that is wrong falls back to the plain bar.
fn style(text: &str) -> ProgressStyle {
    template(text).progress_chars("█▉▊▋▌▍▎▏ ")
}
