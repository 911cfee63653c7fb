//! The fields of the run dialog: what a run gets other than the settings and its sample say.

use super::LABEL;
use crate::app::runs::dialog::{RunDialog, Spot};
use crate::app::text::Field;
use crate::domain::settings::images::ImageClass;
use crate::sanitize::sanitize;
use crate::ui::theme::Theme;
use crate::ui::{field, text};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

/// Columns of the image class with what stands around it.
const CLASS: u16 = 19;

/// Draws the three lines of fields; `line` gives the place of each.
pub(super) fn draw(
    dialog: &RunDialog,
    theme: &Theme,
    frame: &mut Frame,
    line: impl Fn(u16) -> Rect,
) {
    numbers(dialog, theme, frame, line(0));
    let image = line(1);
    let text = Rect {
        width: image.width.saturating_sub(CLASS),
        ..image
    };
    let hint = sanitize(&dialog.image);
    wide(
        ("Image", &dialog.other_image, Spot::Image),
        &hint,
        dialog,
        theme,
        frame,
        text,
    );
    let class = Rect {
        x: text.right(),
        width: image.width.saturating_sub(text.width),
        ..image
    };
    draw_class(dialog, theme, frame, class);
    let env = ("Env", &dialog.env, Spot::Env);
    wide(
        env,
        "NAME=value, as many as you like",
        dialog,
        theme,
        frame,
        line(2),
    );
}

fn numbers(dialog: &RunDialog, theme: &Theme, frame: &mut Frame, area: Rect) {
    if area.is_empty() {
        return;
    }
    let mut x = area.x;
    let fields: [(&str, &str, &Field, Spot, u16); 3] = [
        ("Timeout", "s", &dialog.timeout, Spot::Timeout, 7),
        ("TTL", "s", &dialog.ttl, Spot::Ttl, 6),
        ("GPU", "", &dialog.gpu, Spot::Gpu, 3),
    ];
    for (name, unit, value, spot, width) in fields {
        let typing = dialog.spot == spot && dialog.preview.is_none();
        let label = if name == "Timeout" {
            text::pad(name, LABEL, "")
        } else {
            format!("{name}  ")
        };
        let label_width = u16::try_from(text::columns(&label)).unwrap_or(0);
        let style = if typing { theme.key() } else { theme.muted() };
        let rest = |x: u16, width: u16| Rect { x, width, ..area }.intersection(area);
        frame.render_widget(Span::styled(label, style), rest(x, label_width));
        x += label_width;
        frame.render_widget(Span::styled("[", style), rest(x, 1));
        field::draw(value, typing, theme, frame, rest(x + 1, width));
        let close = format!("] {unit}   ");
        frame.render_widget(Span::styled(close, style), rest(x + 1 + width, 6));
        x += 1 + width + if unit.is_empty() { 5 } else { 7 };
    }
}

/// A field as wide as its line; `hint` stands in it, muted, as long as nothing is typed.
fn wide(
    (name, value, spot): (&str, &Field, Spot),
    hint: &str,
    dialog: &RunDialog,
    theme: &Theme,
    frame: &mut Frame,
    area: Rect,
) {
    if area.is_empty() {
        return;
    }
    let typing = dialog.spot == spot && dialog.preview.is_none();
    let style = if typing { theme.key() } else { theme.muted() };
    let label = u16::try_from(LABEL).unwrap_or(0);
    let rest = |x: u16, width: u16| Rect { x, width, ..area }.intersection(area);
    frame.render_widget(Span::styled(text::pad(name, LABEL, ""), style), area);
    let inside = area.width.saturating_sub(label + 2);
    frame.render_widget(Span::styled("[", style), rest(area.x + label, 1));
    let place = rest(area.x + label + 1, inside);
    if value.text().is_empty() && !typing {
        let hint = text::fit_middle(hint, usize::from(inside), theme.glyphs().ellipsis);
        frame.render_widget(Span::styled(hint, theme.muted()), place);
    } else {
        field::draw(value, typing, theme, frame, place);
    }
    frame.render_widget(
        Span::styled("]", style),
        rest(area.x + label + 1 + inside, 1),
    );
}

fn draw_class(dialog: &RunDialog, theme: &Theme, frame: &mut Frame, area: Rect) {
    let chosen = dialog.spot == Spot::Class && dialog.preview.is_none();
    let style = if chosen { theme.key() } else { theme.muted() };
    let word = match dialog.class {
        None => "as asked",
        Some(ImageClass::Frontier) => "frontier",
        Some(ImageClass::Vllm) => "vllm",
    };
    frame.render_widget(Span::styled(format!("  Class <{word}>"), style), area);
}
