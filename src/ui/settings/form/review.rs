//! The places to save to, what would change in each, and who is in the way.
//!
//! ```text
//! ▸[x] file executor.toml                      1 change
//!  [ ] ConfigMap llmctl-studio-config          1 change
//!
//! file executor.toml
//!   k8s_job_ttl_seconds  1800 → 60
//! ```

use crate::app::settings::Slice;
use crate::app::settings::form::Typing;
use crate::app::settings::outcome::Outcome;
use crate::app::settings::review::{Check, Review, Target};
use crate::domain::overlays::FIELD_MANAGER;
use crate::domain::overlays::plan::Ownership;
use crate::domain::settings::held::{Store, StoredChange};
use crate::sanitize::sanitize;
use crate::ui::theme::{Theme, Tone};
use crate::ui::{field, pane, text};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws the review into `area`.
pub(super) fn draw(slice: &Slice, review: &Review, theme: &Theme, frame: &mut Frame, area: Rect) {
    let room = usize::from(area.width);
    let mut lines: Vec<Line> = Vec::new();
    for (at, target) in review.targets.iter().enumerate() {
        lines.push(choice(review, theme, at, target, room));
    }
    for why in not_offered(slice) {
        let wrapped = text::wrap(&sanitize(&why), room);
        let muted = |line| Line::styled(line, theme.muted());
        lines.extend(wrapped.into_iter().map(muted));
    }
    for target in &review.targets {
        lines.push(Line::default());
        lines.push(Line::styled(named(target), theme.strong()));
        lines.extend(changes(slice, review, theme, target, room));
    }
    if let Some(Typing::Elsewhere { field: typed }) = slice.form.as_ref().map(|form| &form.typing) {
        let label = "other file ";
        let bottom = Rect {
            y: area.bottom().saturating_sub(1),
            height: 1,
            ..area
        };
        let above = Rect {
            height: area.height.saturating_sub(2),
            ..area
        };
        pane::page(frame, theme, above, &lines, review.top);
        frame.render_widget(Span::styled(label, theme.key()), bottom.intersection(area));
        let columns = u16::try_from(label.len()).unwrap_or(u16::MAX);
        let cell = Rect {
            x: bottom.x.saturating_add(columns),
            width: bottom.width.saturating_sub(columns),
            ..bottom
        };
        return field::draw(typed, true, theme, frame, cell.intersection(area));
    }
    pane::page(frame, theme, area, &lines, review.top);
}

fn named(target: &Target) -> String {
    format!("{} {}", target.store.label(), sanitize(&target.name))
}

fn choice<'a>(review: &Review, theme: &Theme, at: usize, target: &Target, room: usize) -> Line<'a> {
    let glyphs = theme.glyphs();
    let selected = review.at == at;
    let mark = if selected { glyphs.mark } else { " " };
    let box_ = if target.on { "[x]" } else { "[ ]" };
    let (count, tone) = match (&target.outcome, target.changes.len()) {
        (Outcome::Writing, _) => (format!("saving {}", glyphs.ellipsis), Tone::Muted),
        (Outcome::Done, _) => (format!("{} saved", glyphs.good), Tone::Good),
        (Outcome::Failed(_), _) => (format!("{} not saved", glyphs.bad), Tone::Bad),
        (Outcome::Nothing, 0) => ("says the same".to_owned(), Tone::Muted),
        (Outcome::Nothing, 1) => ("1 change".to_owned(), Tone::Muted),
        (Outcome::Nothing, n) => (format!("{n} changes"), Tone::Muted),
    };
    let left = room.saturating_sub(text::columns(&count) + 6);
    let style = if selected {
        theme.selected(true)
    } else {
        theme.tone(Tone::Plain)
    };
    Line::from(vec![
        Span::styled(format!("{mark} "), theme.accent()),
        Span::styled(format!("{box_} "), theme.key()),
        Span::styled(text::pad(&named(target), left, glyphs.ellipsis), style),
        Span::styled(count, if selected { style } else { theme.tone(tone) }),
    ])
}

/// Why a place in the cluster is not offered.
fn not_offered(slice: &Slice) -> Vec<String> {
    let known = &slice.known;
    if let Some(why) = &known.failure {
        return vec![format!("what the cluster has is not known: {why}")];
    }
    if !known.is_known() {
        return vec!["the cluster has not answered yet".into()];
    }
    let place = &known.place;
    let has = |store: Store| known.elsewhere.held.iter().any(|held| held.store == store);
    let mut why = Vec::new();
    if !has(Store::ConfigMap) {
        why.push(format!(
            "no ConfigMap with settings is in {place}: apply the overlay executor first"
        ));
    }
    match (&known.studio_failure, has(Store::Studio)) {
        (Some(failure), _) => why.push(format!("Studio's database is not offered: {failure}")),
        (None, true) => {}
        (None, false) if known.studio_answered => {
            why.push(format!("no database of a Studio is in {place}"));
        }
        (None, false) => why.push("Studio's database has not answered yet".into()),
    }
    why
}

fn changes<'a>(
    slice: &Slice,
    review: &Review,
    theme: &Theme,
    target: &Target,
    room: usize,
) -> Vec<Line<'a>> {
    let mut said: Vec<(String, Tone)> = Vec::new();
    if let Outcome::Failed(why) = &target.outcome {
        let text = format!("{} not saved: {}", theme.glyphs().bad, sanitize(why));
        said.push((text, Tone::Bad));
    }
    if target.changes.is_empty() {
        said.push(("nothing to change".into(), Tone::Muted));
    }
    for change in &target.changes {
        said.push((one(theme, target, change), Tone::Plain));
        if target.store == Store::File && slice.drafts.conflicts().contains(&change.key) {
            let warning = theme.glyphs().warning;
            let text =
                format!("{warning} the file changed here while you edited: saving writes over it");
            said.push((text, Tone::Warning));
        }
    }
    said.extend(check(review, theme, &target.check));
    let line = |(text, tone): (String, Tone)| {
        let wrapped = text::wrap(&text, room.saturating_sub(2));
        let styled = move |line| Line::styled(format!("  {line}"), theme.tone(tone));
        wrapped.into_iter().map(styled).collect::<Vec<_>>()
    };
    said.into_iter().flat_map(line).collect()
}

fn one(theme: &Theme, target: &Target, change: &StoredChange) -> String {
    let side = |value: &Option<String>| match value.as_deref() {
        None if target.store == Store::File => match change.key.default() {
            Some(default) => format!("{} (default)", sanitize(&default.text())),
            None => "not set".into(),
        },
        None => "not set".into(),
        Some("") => theme.glyphs().none.into(),
        Some(text) => sanitize(text).into_owned(),
    };
    let (from, to) = (side(&change.from), side(&change.to));
    format!("{}  {from} {} {to}", change.key, theme.glyphs().right)
}

fn check(review: &Review, theme: &Theme, check: &Check) -> Option<(String, Tone)> {
    let glyphs = theme.glyphs();
    let owned = |owners: &[Ownership]| {
        let one = |one: &Ownership| {
            let keys: Vec<&str> = one
                .fields
                .iter()
                .map(|field| field.trim_start_matches(".data."))
                .collect();
            let owner = match &one.owner[..] {
                FIELD_MANAGER => "an overlay that was applied",
                other => other,
            };
            format!("{} owned by {owner}", keys.join(", "))
        };
        let owners: Vec<String> = owners.iter().map(one).collect();
        sanitize(&owners.join("; ")).into_owned()
    };
    match check {
        Check::Unneeded => None,
        Check::Asking => Some(("asking the cluster …".into(), Tone::Muted)),
        Check::Free(taken) if taken.is_empty() => None,
        Check::Free(taken) => Some((format!("takes {}", owned(taken)), Tone::Muted)),
        Check::Owned(owners) if review.force => Some((
            format!("{} takes {}", glyphs.warning, owned(owners)),
            Tone::Warning,
        )),
        Check::Owned(owners) => Some((
            format!("{} conflict: {}; f takes it", glyphs.bad, owned(owners)),
            Tone::Bad,
        )),
        Check::Failed(why) => Some((format!("{} {}", glyphs.bad, sanitize(why)), Tone::Bad)),
    }
}
