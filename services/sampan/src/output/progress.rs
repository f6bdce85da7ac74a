//! Progress bars of an operation: one line per target, redrawn as it changes.
//!
//! Without a terminal, a plain line is written for each change of state instead.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use sampan_proto::operation::v1::{Operation, Target, TargetState};

use super::words;

/// Shows an operation while it runs.
#[derive(Debug)]
pub struct OperationProgress {
    bars: MultiProgress,
    head: ProgressBar,
    by_target: BTreeMap<String, ProgressBar>,
    is_terminal: bool,
    last_line: String,
}

impl OperationProgress {
    /// Begins; draws on standard error, so that standard output stays clean.
    pub fn begin() -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let target = if is_terminal { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        let bars = MultiProgress::with_draw_target(target);
        let head = bars.add(ProgressBar::new_spinner());
        head.enable_steady_tick(Duration::from_millis(120));
        Self { bars, head, by_target: BTreeMap::new(), is_terminal, last_line: String::new() }
    }

    /// Shows the newest state.
    pub fn show(&mut self, operation: &Operation) {
        let line = headline(operation);
        self.head.set_message(line.clone());
        for target in &operation.targets {
            let bar = self.bar(target);
            draw(&bar, target);
        }
        self.plain(line, operation);
    }

    /// Ends and leaves the last state on the screen.
    pub fn finish(&self) {
        self.head.finish_and_clear();
        for bar in self.by_target.values() {
            bar.abandon();
        }
    }

    fn bar(&mut self, target: &Target) -> ProgressBar {
        let bars = &self.bars;
        let bar = self.by_target.entry(target.id.clone()).or_insert_with(|| {
            let bar = bars.add(ProgressBar::new(100));
            bar.set_style(style("  {prefix:32!} [{bar:30}] {msg}"));
            bar.set_prefix(target.label.clone());
            bar
        });
        bar.clone()
    }

    fn plain(&mut self, line: String, operation: &Operation) {
        if self.is_terminal || line == self.last_line {
            return;
        }
        let percent = operation.progress_percent.map_or_else(String::new, |percent| format!(" {percent} %"));
        eprintln!("{line}{percent}");
        self.last_line = line;
    }
}

fn headline(operation: &Operation) -> String {
    let state = words::operation_state(operation.state);
    let quota = operation.quota.as_ref();
    match quota.and_then(|quota| quota.waiting_position.map(|position| (position, quota))) {
        Some((position, quota)) => {
            let start = words::time(quota.earliest_start_time.as_ref());
            format!("{}: {state}, place {position}, starts at {start} at the earliest", operation.name)
        }
        None if operation.step.is_empty() => format!("{}: {state}", operation.name),
        None => format!("{}: {state} ({})", operation.name, operation.step),
    }
}

fn draw(bar: &ProgressBar, target: &Target) {
    let state = words::target_state(target.state);
    match target.progress_percent {
        Some(percent) => {
            bar.set_position(u64::from(percent));
            bar.set_message(format!("{percent:>3} % {state}"));
        }
        // The cloud tells no percent: the bar stays empty and the words say so.
        None => bar.set_message(match TargetState::try_from(target.state) {
            Ok(TargetState::Running) => "running; this cloud reports no percent".to_owned(),
            _ => state.to_owned(),
        }),
    }
}

/// Returns the style of a template; a template of ours that is wrong falls back to the plain bar.
pub fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("█▉▊▋▌▍▎▏ ")
}
