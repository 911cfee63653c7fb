//! The characters that are drawn with, and their ASCII equals.

use ratatui::symbols::border;

/// The characters that are drawn with, each by its meaning. All are one column wide.
#[derive(Debug, PartialEq)]
pub struct Glyphs {
    pub pending: &'static str,
    pub running: &'static str,
    pub good: &'static str,
    pub bad: &'static str,
    pub uncertain: &'static str,
    pub retained: &'static str,
    pub removed: &'static str,
    pub cancelled: &'static str,
    pub warning: &'static str,
    pub info: &'static str,
    /// Before the selected row.
    pub mark: &'static str,
    /// Something is edited and not saved.
    pub edited: &'static str,
    /// Made by this tool.
    pub ours: &'static str,
    pub ellipsis: &'static str,
    /// Nothing to show in this cell.
    pub none: &'static str,
    /// Between words of a title.
    pub dot: &'static str,
    /// Between tabs.
    pub divider: &'static str,
    pub rule: &'static str,
    pub times: &'static str,
    /// Levels of the gauge cell, empty to full.
    pub levels: [&'static str; 8],
    /// Ground of the gauge, where it has emptied.
    pub ground: &'static str,
    /// A phase bar: its body, its ends, the open end of one that lasts.
    pub bar: &'static str,
    pub bar_from: &'static str,
    pub bar_to: &'static str,
    pub bar_open: &'static str,
    /// A phase too short for two ends.
    pub bar_short: &'static str,
    /// A lost piece of a log.
    pub gap: &'static str,
    /// Branches of a tree: item, last item, continued, blank.
    pub branches: [&'static str; 4],
    pub left: &'static str,
    pub right: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub border: border::Set<'static>,
    /// Border of the pane that has the keys.
    pub border_focused: border::Set<'static>,
    /// Thumb and track of a scrollbar.
    pub thumb: &'static str,
    pub track: &'static str,
}

pub(super) const UNICODE: Glyphs = Glyphs {
    pending: "◌",
    running: "●",
    good: "✓",
    bad: "✗",
    uncertain: "?",
    // The hourglass of emoji fonts is two columns in some terminals and one in others: rows would not line up.
    retained: "◔",
    removed: "⌫",
    cancelled: "⊘",
    warning: "!",
    info: "·",
    mark: "▸",
    edited: "✎",
    ours: "◆",
    ellipsis: "…",
    none: "–",
    dot: "·",
    divider: "│",
    rule: "─",
    times: "×",
    levels: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇"],
    ground: "·",
    bar: "━",
    bar_from: "┝",
    bar_to: "┥",
    bar_open: "▶",
    bar_short: "┃",
    gap: "┄",
    branches: ["├ ", "└ ", "│ ", "  "],
    left: "←",
    right: "→",
    up: "↑",
    down: "↓",
    border: border::ROUNDED,
    border_focused: border::ROUNDED,
    thumb: "┃",
    track: "│",
};

const ASCII_BORDER: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

pub(super) const ASCII: Glyphs = Glyphs {
    pending: "o",
    running: "*",
    good: "+",
    bad: "x",
    uncertain: "?",
    retained: "@",
    removed: "#",
    cancelled: "/",
    warning: "!",
    info: ".",
    mark: ">",
    edited: "~",
    ours: "*",
    ellipsis: "~",
    none: "-",
    dot: "-",
    divider: "|",
    rule: "-",
    times: "x",
    levels: [".", ".", ".", "=", "=", "=", "#", "#"],
    ground: ".",
    bar: "-",
    bar_from: "[",
    bar_to: "]",
    bar_open: ">",
    bar_short: "|",
    gap: "~",
    branches: ["|-", "`-", "| ", "  "],
    left: "<",
    right: ">",
    up: "^",
    down: "v",
    border: ASCII_BORDER,
    border_focused: border::Set {
        horizontal_top: "=",
        horizontal_bottom: "=",
        ..ASCII_BORDER
    },
    thumb: "#",
    track: "|",
};

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr as _;

    #[test]
    fn ascii_is_ascii_and_every_glyph_is_one_column() {
        for (glyphs, ascii) in [(&UNICODE, false), (&ASCII, true)] {
            let shown = format!("{glyphs:?}");
            assert_eq!(shown.is_ascii(), ascii, "{shown}");
            for glyph in [
                glyphs.pending,
                glyphs.running,
                glyphs.good,
                glyphs.bad,
                glyphs.uncertain,
                glyphs.retained,
                glyphs.removed,
                glyphs.cancelled,
                glyphs.warning,
                glyphs.info,
                glyphs.mark,
                glyphs.edited,
                glyphs.ours,
                glyphs.ellipsis,
                glyphs.none,
                glyphs.dot,
                glyphs.ground,
                glyphs.bar,
                glyphs.bar_open,
                glyphs.gap,
                glyphs.thumb,
            ]
            .iter()
            .chain(&glyphs.levels)
            {
                assert_eq!(glyph.width(), 1, "{glyph}");
            }
        }
    }
}
