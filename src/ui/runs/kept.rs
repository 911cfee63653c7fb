//! What a narrow list says of a kept Job.

use super::super::theme::{Theme, Tone};
use crate::domain::runs::{Phase, Run};
use jiff::Timestamp;
use ratatui::text::Line;

/// Where there is no room for both: that the Job is kept, and about how long.
pub(super) fn about(run: &Run, now: Timestamp, theme: &Theme) -> Option<Line<'static>> {
    let left = run.expires_at()?.duration_since(now).as_secs();
    if !run.kept || run.phase != Phase::Retained || left <= 0 {
        return None;
    }
    let about = match left {
        3600.. => format!("{}h", (left + 1800) / 3600),
        _ => format!("{}m", (left + 59) / 60),
    };
    Some(Line::styled(
        format!("kept {about:>3}"),
        theme.tone(Tone::Accent),
    ))
}
