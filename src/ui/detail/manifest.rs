//! The manifest tab: the Job as the cluster has it, as YAML.

use super::super::theme::Theme;
use super::super::{pane, text};
use crate::app::State;
use crate::app::limits::Limits;
use crate::domain::runs::{Phase, Run};
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws the tab, scrolled to `detail_top`.
pub(super) fn draw(
    state: &State,
    run: &Run,
    theme: &Theme,
    limits: &mut Limits,
    frame: &mut Frame,
    area: Rect,
) {
    let fetched = state.runs.manifest.as_ref();
    let Some((_, yaml)) = fetched.filter(|(of, _)| *of == run.id) else {
        let (why, then) = emptiness(state, run);
        pane::empty(frame, area, theme, why, then);
        return;
    };
    let lines = yaml_lines(yaml, usize::from(area.width), theme);
    limits.detail = pane::page(frame, theme, area, &lines, state.runs.detail_top);
}

/// YAML in light colours: keys stand out, comments and marks step back. Long lines are cut.
pub(crate) fn yaml_lines(yaml: &str, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    yaml.lines()
        .map(|line| {
            let line = sanitize(line);
            yaml_line(&text::fit(&line, room, theme.glyphs().ellipsis), theme)
        })
        .collect()
}

fn yaml_line(line: &str, theme: &Theme) -> Line<'static> {
    let body = line.trim_start();
    if body.starts_with('#') || body == "---" {
        return Line::styled(line.to_owned(), theme.muted());
    }
    let mut lead = line.len() - body.len();
    if let Some(rest) = body.strip_prefix("- ") {
        lead += body.len() - rest.len();
    }
    let (indent, rest) = line.split_at(lead);
    let key_end = key_end(rest);
    let mut spans = vec![Span::styled(indent.to_owned(), theme.muted())];
    if let Some(end) = key_end {
        let (key, value) = rest.split_at(end);
        spans.push(Span::styled(key.to_owned(), theme.accent()));
        let (colon, value) = value.split_at(1);
        spans.push(Span::styled(colon.to_owned(), theme.muted()));
        spans.push(Span::raw(value.to_owned()));
    } else {
        spans.push(Span::raw(rest.to_owned()));
    }
    Line::from(spans)
}

/// Where the key of `key: value` ends; none for a plain item or a line of a block of text.
fn key_end(line: &str) -> Option<usize> {
    let end = if let Some(quoted) = line.strip_prefix('"') {
        quoted.find('"')? + 2
    } else {
        line.find(':')?
    };
    let rest = line.get(end..)?;
    let is_key = rest == ":" || rest.starts_with(": ");
    let plain = line.starts_with('"')
        || line[..end]
            .chars()
            .all(|c| c.is_alphanumeric() || "-_./".contains(c));
    (is_key && plain).then_some(end)
}

fn emptiness(state: &State, run: &Run) -> (&'static str, &'static str) {
    match run.phase {
        Phase::Dispatching => ("The API server has not accepted the Job yet.", ""),
        Phase::NotDispatched => (
            "There is no Job: it was never accepted.",
            "p in the run dialog (r) shows what would be created.",
        ),
        Phase::Removed => (
            "The Job is gone from the cluster, and its manifest with it.",
            "Timeline, log and result stay here.",
        ),
        _ if !state.link.is_live() => (
            "Not connected: the manifest cannot be read now.",
            "It is read once the cluster answers and this tab is opened.",
        ),
        _ => ("Reading the manifest.", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::theme::Colors;
    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn keys_are_coloured_and_nothing_is_lost() {
        let theme = Theme::new(Colors::Sixteen, false, TimeZone::UTC);
        let yaml = "# note\nkind: Job\nspec:\n  - name: a\n    \"x: y\": 1\n  - plain: text: more\n  http://x:80\n";
        let lines = yaml_lines(yaml, 80, &theme);
        let text: Vec<_> = lines.iter().map(ToString::to_string).collect();
        assert_eq!(text, yaml.lines().collect::<Vec<_>>());
        let keys: Vec<_> = lines
            .iter()
            .flat_map(|line| &line.spans)
            .filter(|span| span.style == theme.accent())
            .map(|span| span.content.to_string())
            .collect();
        assert_eq!(keys, ["kind", "spec", "name", "\"x: y\"", "plain"]);
    }
}
