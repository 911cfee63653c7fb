//! The changes that are not saved, each as it is and as it will be.

use super::known::{plain, urgent};
use crate::app::settings::Slice;
use crate::app::settings::draft::{Draft, Wanted};
use crate::app::settings::form::Form;
use crate::domain::settings::key::Key;
use crate::sanitize::sanitize;
use crate::ui::theme::{Theme, Tone};
use crate::ui::{pane, text};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws the changes into `area`.
pub(super) fn draw(slice: &Slice, form: &Form, theme: &Theme, frame: &mut Frame, area: Rect) {
    if slice.drafts.count() == 0 {
        let then = "esc goes back to the form";
        return pane::empty(frame, area, theme, "No setting is changed.", then);
    }
    let room = usize::from(area.width);
    let mut lines: Vec<Line> = Vec::new();
    for (key, draft) in slice.drafts.iter() {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        let facts = key.facts();
        lines.push(Line::from(vec![
            Span::styled(facts.label, theme.strong()),
            Span::styled(format!("  {}", facts.name), theme.muted()),
        ]));
        for (said, tone) in changes(slice, theme, key, draft) {
            let wrapped = text::wrap(&said, room.saturating_sub(2));
            let styled = |line| Line::styled(format!("  {line}"), theme.tone(tone));
            lines.extend(wrapped.into_iter().map(styled));
        }
    }
    pane::page(frame, theme, area, &lines, form.top);
}

fn changes(slice: &Slice, theme: &Theme, key: Key, draft: &Draft) -> Vec<(String, Tone)> {
    let from = match &draft.base {
        Some(_) => plain(theme, key, draft.base.as_ref()),
        None => format!("{} (default)", plain(theme, key, key.default().as_ref())),
    };
    let to = match &draft.to {
        Wanted::Value(value) => plain(theme, key, Some(value)),
        Wanted::Default => format!("{} (default)", plain(theme, key, key.default().as_ref())),
        Wanted::Wrong { text, .. } => sanitize(text).into_owned(),
    };
    let wrong = matches!(draft.to, Wanted::Wrong { .. });
    let tone = if wrong { Tone::Warning } else { Tone::Good };
    let mut said = vec![(format!("- {from}"), Tone::Bad), (format!("+ {to}"), tone)];
    said.extend(urgent(slice, theme, key));
    if !wrong {
        said.push((
            format!("takes effect {}", key.facts().takes_effect),
            Tone::Muted,
        ));
    }
    said
}
