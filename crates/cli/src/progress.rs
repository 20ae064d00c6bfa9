//! A bar on stderr for what takes longer than a second; nothing where stderr is no terminal.

use std::io::{self, IsTerminal};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What is done sooner shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);
const REDRAW: Duration = Duration::from_millis(200);

/// A bar towards `total` of `unit`.
pub fn bar(total: u64, unit: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len} {msg} {per_sec}  {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    shown_later(ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden()).with_style(style), unit)
}

/// A sign of life where nobody knows how much there is to do.
pub fn spinner(doing: &'static str) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{spinner} {msg}  {elapsed}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    shown_later(ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()).with_style(style), doing)
}

/// Shows the bar once the work has taken its second. A ticker alone would draw at once.
fn shown_later(bar: ProgressBar, message: &'static str) -> ProgressBar {
    bar.set_message(message);
    if io::stderr().is_terminal() {
        let waiting = bar.downgrade();
        thread::spawn(move || {
            thread::sleep(PATIENCE);
            if let Some(bar) = waiting.upgrade().filter(|bar| !bar.is_finished()) {
                bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(5));
                bar.enable_steady_tick(REDRAW);
            }
        });
    }
    bar
}
