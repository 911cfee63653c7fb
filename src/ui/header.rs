//! The first line of every screen: which cluster, is it alive, which namespace, which version, what is applied, what time it is.

use super::pane::cut;
use super::text;
use super::theme::{Theme, Tone};
use crate::app::link::Link;
use crate::app::{Pane, State};
use crate::domain::target::TargetKind;
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws the header. What matters less gives way when the line is short.
pub(crate) fn draw(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) {
    let wide = area.width >= super::layout::WIDE;
    let clock = if wide {
        theme.clock(state.now)
    } else {
        theme.clock_minutes(state.now)
    };
    let clock = format!(" {clock} ");
    let room = usize::from(area.width).saturating_sub(text::columns(&clock));

    let mut spans = vec![Span::raw(" ")];
    if wide {
        spans.push(Span::styled("llmctl-dev", theme.strong()));
        spans.push(Span::raw("  "));
    }
    let sandbox = state.target.kind == TargetKind::Sandbox;
    let badge = sanitize(&state.target.badge()).into_owned();
    let badge = text::fit(&badge, room / 3, theme.glyphs().ellipsis);
    spans.push(Span::styled(
        if sandbox { format!(" {badge} ") } else { badge },
        theme.badge(sandbox),
    ));
    spans.push(Span::raw(" "));
    spans.extend(link(state, theme));

    // In order of importance: the first that does not fit ends the line.
    for (label, value) in facts(state, theme) {
        let width = Line::from(spans.clone()).width() + 3 + label.len() + value.width() + 1;
        if width > room {
            break;
        }
        spans.push(Span::styled(format!("   {label} "), theme.muted()));
        spans.extend(value.spans);
    }
    let line = cut(Line::from(spans), room, theme.glyphs().ellipsis);
    frame.render_widget(line, area);
    // The style of a line would colour the whole row.
    let clock = Line::from(Span::styled(clock, theme.muted()));
    frame.render_widget(clock.right_aligned(), area);
}

fn facts<'a>(state: &'a State, theme: &Theme) -> Vec<(&'static str, Line<'a>)> {
    let mut facts = Vec::new();
    if !state.faults.is_empty() {
        let words = Line::styled(state.faults.join(", "), theme.tone(Tone::Warning));
        facts.push(("fault", words));
    }
    facts.push(("ns", Line::raw(sanitize(&state.namespace))));
    let version = match &state.link {
        Link::Live { version } | Link::Lost { version, .. } => version.as_str(),
        Link::Connecting { .. } => "",
    };
    if let Some(overlay) = super::overlays::in_header(state, theme) {
        facts.push(("overlay", overlay));
    }
    if !version.is_empty() {
        let number = version.trim_start_matches('v').to_owned();
        facts.push(("k8s", Line::raw(sanitize(&number).into_owned())));
    }
    facts
}

fn link<'a>(state: &State, theme: &Theme) -> Vec<Span<'a>> {
    let glyphs = theme.glyphs();
    match &state.link {
        Link::Connecting { since } => {
            let waited = text::between(*since, state.now).as_secs();
            let shown = if waited > 1 {
                format!("{} connecting {waited} s", glyphs.pending)
            } else {
                format!("{} connecting", glyphs.pending)
            };
            vec![Span::styled(shown, theme.tone(Tone::Busy))]
        }
        Link::Live { .. } => vec![Span::styled(
            format!("{} live", glyphs.running),
            theme.tone(Tone::Good),
        )],
        Link::Lost {
            since,
            retry_at,
            attempt,
            ..
        } => {
            let lost = text::between(*since, state.now).as_secs();
            let left = text::between(state.now, *retry_at);
            let retry = if left.is_zero() {
                "retrying".to_owned()
            } else {
                // A wait of 400 ms is one second on a screen, not none.
                format!("retry in {} s", left.as_millis().div_euclid(1000).max(1))
            };
            vec![Span::styled(
                format!(
                    "{} lost {lost} s {} {retry} ({})",
                    glyphs.bad,
                    glyphs.dot,
                    ordinal(*attempt)
                ),
                theme.tone(Tone::Bad),
            )]
        }
    }
}

/// `1st`, `2nd`, `3rd`, `4th`, `11th`, `21st`.
pub(crate) fn ordinal(n: u32) -> String {
    let ending = match (n % 10, n % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

/// Draws the line with the names of the panes, where they do not stand side by side.
pub(crate) fn draw_tabs(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) {
    let mut spans = Vec::new();
    let edited = super::settings::in_tab(state, theme);
    for (number, pane, name) in [
        ('1', Pane::Overlays, "Overlays"),
        ('2', Pane::Settings, "Settings"),
        ('3', Pane::Runs, "Runs"),
        ('0', Pane::Detail, "Detail"),
        ('5', Pane::Checks, "Checks"),
    ] {
        let style = if state.focus == pane {
            theme
                .key()
                .add_modifier(ratatui::style::Modifier::UNDERLINED)
        } else {
            theme.plain()
        };
        spans.push(Span::styled(format!(" {number} "), theme.key()));
        spans.push(Span::styled(name, style));
        if pane == Pane::Settings {
            spans.extend(edited.clone());
        }
        spans.push(Span::raw(" "));
    }
    frame.render_widget(
        cut(
            Line::from(spans),
            usize::from(area.width),
            theme.glyphs().ellipsis,
        ),
        area,
    );
}

#[cfg(test)]
mod tests {
    use super::ordinal;

    #[test]
    fn ordinals() {
        let table = [
            (1, "1st"),
            (2, "2nd"),
            (3, "3rd"),
            (4, "4th"),
            (11, "11th"),
            (12, "12th"),
            (13, "13th"),
            (21, "21st"),
            (102, "102nd"),
            (111, "111th"),
        ];
        for (n, shown) in table {
            assert_eq!(ordinal(n), shown);
        }
    }
}
