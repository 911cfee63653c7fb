//! Every style and every glyph by its meaning. Panes never name a colour or a drawing character.
//!
//! A state is always glyph, word and colour in this order of importance, so that it reads in mono, in a screenshot
//! and by ear. No true colour: on 256 colours the tones are middle ones, readable on dark and on light ground alike
//! (a test computes it); on 16 colours they are the terminal's own.

mod glyphs;

use crate::sanitize::sgr::{Colour, Flag, Sgr};
use glyphs::{ASCII, Glyphs, UNICODE};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::style::{Color, Modifier, Style};

/// How many colours there are to draw with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colors {
    /// `NO_COLOR`, `--color never` or a terminal without: bold, underlined and reversed only.
    None,
    Sixteen,
    Many,
}

impl Colors {
    /// What a terminal can do, from the values of `TERM` and `COLORTERM`.
    pub fn of_terminal(term: Option<&str>, colorterm: Option<&str>) -> Self {
        let term = term.unwrap_or_default();
        if colorterm.is_some_and(|value| !value.is_empty()) || term.contains("256color") {
            return Self::Many;
        }
        match term {
            "" | "dumb" | "vt100" | "vt220" => Self::None,
            "alacritty" | "foot" | "ghostty" | "xterm-ghostty" | "xterm-kitty" | "wezterm" => {
                Self::Many
            }
            _ => Self::Sixteen,
        }
    }
}

/// A tone of text: what the colour says, never what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text.
    Plain,
    /// Beside the point: units, labels of columns, what is over.
    Muted,
    /// Names and titles.
    Strong,
    /// What a person can press, choose or follow.
    Accent,
    Good,
    Bad,
    Warning,
    /// Going on now.
    Busy,
    /// Not known.
    Uncertain,
}

/// How this session looks: colours, glyphs, and the time zone of its clock.
#[derive(Clone, Debug)]
pub struct Theme {
    colors: Colors,
    ascii: bool,
    zone: TimeZone,
}

impl Theme {
    /// A theme of these colours; `ascii` draws with ASCII only; times of day are shown in `zone`.
    pub fn new(colors: Colors, ascii: bool, zone: TimeZone) -> Self {
        Self {
            colors,
            ascii,
            zone,
        }
    }

    /// The characters to draw with.
    pub fn glyphs(&self) -> &'static Glyphs {
        if self.ascii { &ASCII } else { &UNICODE }
    }

    /// Draws with ASCII only.
    pub fn is_ascii(&self) -> bool {
        self.ascii
    }

    /// `14:02:31` of the session's time zone.
    pub fn clock(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone())
            .strftime("%H:%M:%S")
            .to_string()
    }

    /// `14:02:31`, and on another day than `now` its date and minute: `Nov 25 14:02`.
    pub fn moment(&self, at: Timestamp, now: Timestamp) -> String {
        match self.day(at, now) {
            day if day.is_empty() => self.clock(at),
            day => day + &self.clock_minutes(at),
        }
    }

    /// `14:02:31.482`, and on another day than `now` with its date.
    pub fn moment_millis(&self, at: Timestamp, now: Timestamp) -> String {
        self.day(at, now) + &self.clock_millis(at)
    }

    /// The date before a time of another day than `now`.
    fn day(&self, at: Timestamp, now: Timestamp) -> String {
        let [day, today] = [at, now].map(|time| time.to_zoned(self.zone.clone()).date());
        if day == today {
            String::new()
        } else {
            format!("{} ", day.strftime("%b %-d"))
        }
    }

    /// `14:02:31.482` of the session's time zone.
    pub fn clock_millis(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone())
            .strftime("%H:%M:%S%.3f")
            .to_string()
    }

    /// `14:02` of the session's time zone.
    pub fn clock_minutes(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%H:%M").to_string()
    }

    /// Style of a tone.
    pub fn tone(&self, tone: Tone) -> Style {
        let style = Style::new();
        let style = match self.color(tone) {
            Some(color) => style.fg(color),
            None => style,
        };
        match (tone, self.colors) {
            (Tone::Muted, Colors::None) => style.add_modifier(Modifier::DIM),
            (Tone::Strong, _) | (Tone::Bad | Tone::Warning, Colors::None) => {
                style.add_modifier(Modifier::BOLD)
            }
            _ => style,
        }
    }

    fn color(&self, tone: Tone) -> Option<Color> {
        let (sixteen, many) = match tone {
            Tone::Plain | Tone::Strong => return None,
            Tone::Muted => (Color::DarkGray, 244),
            Tone::Accent => (Color::Cyan, 31),
            Tone::Good => (Color::Green, 64),
            Tone::Bad => (Color::Red, 167),
            Tone::Warning => (Color::Yellow, 166),
            Tone::Busy => (Color::Blue, 33),
            Tone::Uncertain => (Color::Magenta, 133),
        };
        match self.colors {
            Colors::None => None,
            Colors::Sixteen => Some(sixteen),
            Colors::Many => Some(Color::Indexed(many)),
        }
    }

    /// Ordinary text.
    pub fn plain(&self) -> Style {
        self.tone(Tone::Plain)
    }

    /// Beside the point.
    pub fn muted(&self) -> Style {
        self.tone(Tone::Muted)
    }

    /// Names and titles.
    pub fn strong(&self) -> Style {
        self.tone(Tone::Strong)
    }

    /// What a person can press, choose or follow.
    pub fn accent(&self) -> Style {
        self.tone(Tone::Accent)
    }

    /// A key in a footer or a table of keys.
    pub fn key(&self) -> Style {
        self.accent().add_modifier(Modifier::BOLD)
    }

    /// Border and title of a pane that has the keys, or has not.
    pub fn border(&self, focused: bool) -> Style {
        if focused { self.key() } else { self.muted() }
    }

    /// Ordinary text in a border, which would lend it its style.
    pub fn on_border(&self) -> Style {
        Style::new()
            .fg(Color::Reset)
            .remove_modifier(Modifier::BOLD)
    }

    /// The selected row: a bar where the keys are, a bold row elsewhere.
    pub fn selected(&self, focused: bool) -> Style {
        if !focused {
            return Style::new().add_modifier(Modifier::BOLD);
        }
        // One colour over the whole row: cells that keep their own would make a patchwork of the bar.
        let bar = Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD);
        match self.color(Tone::Accent) {
            Some(color) => bar.fg(color).bg(Color::Reset),
            None => bar.fg(Color::Reset).bg(Color::Reset),
        }
    }

    /// Characters that a filter or a search found.
    pub fn found(&self) -> Style {
        self.tone(Tone::Warning)
            .add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
    }

    /// A style that a log line asks for, with the colours there are.
    pub fn printed(&self, sgr: &Sgr) -> Style {
        let mut style = Style::default();
        for (flag, _) in Flag::ALL.iter().filter(|(flag, _)| sgr.has(*flag)) {
            style = style.add_modifier(match flag {
                Flag::Bold => Modifier::BOLD,
                Flag::Dim => Modifier::DIM,
                Flag::Italic => Modifier::ITALIC,
                Flag::Underline => Modifier::UNDERLINED,
                Flag::Reverse => Modifier::REVERSED,
                Flag::Struck => Modifier::CROSSED_OUT,
            });
        }
        if let Some(color) = sgr.text.and_then(|colour| self.color_of(colour)) {
            style = style.fg(color);
        }
        if let Some(color) = sgr.ground.and_then(|colour| self.color_of(colour)) {
            style = style.bg(color);
        }
        style
    }

    fn color_of(&self, colour: Colour) -> Option<Color> {
        match (self.colors, colour) {
            (Colors::None, _) => None,
            (_, Colour::Base(n))
            | (Colors::Sixteen, Colour::Many(n @ 0..16))
            | (Colors::Many, Colour::Many(n)) => Some(Color::Indexed(n)),
            (Colors::Sixteen, _) => None,
            (Colors::Many, Colour::True(red, green, blue)) => {
                // The nearest of the cube of 6 by 6 by 6.
                let step = |part: u8| (u16::from(part) * 5 + 127) / 255;
                let index = 16 + 36 * step(red) + 6 * step(green) + step(blue);
                u8::try_from(index).ok().map(Color::Indexed)
            }
        }
    }

    /// The badge of the target in the header; the sandbox's is reversed, so that no one takes it for a cluster.
    pub fn badge(&self, sandbox: bool) -> Style {
        let style = self.tone(if sandbox { Tone::Warning } else { Tone::Accent });
        let style = style.add_modifier(Modifier::BOLD);
        if sandbox {
            style.add_modifier(Modifier::REVERSED)
        } else {
            style
        }
    }

    /// A banner over the whole width: something is wrong with all that is shown.
    pub fn banner(&self) -> Style {
        self.tone(Tone::Bad)
            .add_modifier(Modifier::REVERSED | Modifier::BOLD)
    }

    /// Laid over what may not be true any more.
    pub fn stale(&self) -> Style {
        let style = Style::new().remove_modifier(Modifier::BOLD | Modifier::REVERSED);
        match self.color(Tone::Muted) {
            Some(color) => style.fg(color),
            None => style.add_modifier(Modifier::DIM),
        }
    }

    /// Laid over what a dialog covers or stands before.
    pub fn behind(&self) -> Style {
        self.stale()
    }

    /// A text field being typed in.
    pub fn field(&self) -> Style {
        self.accent().add_modifier(Modifier::UNDERLINED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(index: u8) -> f64 {
        let levels = [0.0, 95.0, 135.0, 175.0, 215.0, 255.0];
        let rgb = if index >= 232 {
            let grey = f64::from(8 + 10 * (u32::from(index) - 232));
            [grey, grey, grey]
        } else {
            let cube = usize::from(index - 16);
            [levels[cube / 36], levels[cube / 6 % 6], levels[cube % 6]]
        };
        let linear = rgb.map(|value: f64| {
            let value = value / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    #[test]
    fn a_time_of_another_day_has_its_date() {
        let zone = TimeZone::fixed(jiff::tz::offset(-5));
        let theme = Theme::new(Colors::None, false, zone);
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let now = at("2026-11-25T03:00:00Z");
        for (time, shown) in [
            ("2026-11-24T05:00:00Z", "00:00:00"),
            ("2026-11-25T04:59:59Z", "23:59:59"),
            ("2026-11-25T19:33:41Z", "Nov 25 14:33"),
            ("2026-11-05T19:33:41Z", "Nov 5 14:33"),
        ] {
            assert_eq!(theme.moment(at(time), now), shown, "{time}");
        }
        let marker = theme.moment_millis(at("2026-11-25T05:00:00.5Z"), now);
        assert_eq!(marker, "Nov 25 00:00:00.500");
    }

    #[test]
    fn every_tone_reads_on_black_and_on_white() {
        let theme = Theme::new(Colors::Many, false, TimeZone::UTC);
        for tone in [
            Tone::Muted,
            Tone::Accent,
            Tone::Good,
            Tone::Bad,
            Tone::Warning,
            Tone::Busy,
            Tone::Uncertain,
        ] {
            let Some(Color::Indexed(index)) = theme.tone(tone).fg else {
                panic!("{tone:?} has no colour");
            };
            let own = luminance(index);
            let on_black = (own + 0.05) / 0.05;
            let on_white = 1.05 / (own + 0.05);
            assert!(
                on_black >= 3.0 && on_white >= 3.0,
                "{tone:?}: {on_black:.2} on black, {on_white:.2} on white"
            );
        }
    }

    #[test]
    fn without_colour_nothing_is_coloured() {
        let theme = Theme::new(Colors::None, false, TimeZone::UTC);
        for style in [
            theme.muted(),
            theme.key(),
            theme.found(),
            theme.badge(true),
            theme.banner(),
            theme.stale(),
            theme.field(),
            theme.tone(Tone::Bad),
        ] {
            assert_eq!(style.fg, None);
            assert_eq!(style.bg, None);
        }
        assert!(theme.badge(true).add_modifier.contains(Modifier::REVERSED));
    }

    #[test]
    fn colours_of_a_terminal() {
        let of = |term, colorterm| Colors::of_terminal(term, colorterm);
        assert_eq!(of(None, None), Colors::None);
        assert_eq!(of(Some("dumb"), None), Colors::None);
        assert_eq!(of(Some("linux"), None), Colors::Sixteen);
        assert_eq!(of(Some("xterm"), None), Colors::Sixteen);
        assert_eq!(of(Some("xterm-256color"), None), Colors::Many);
        assert_eq!(of(Some("xterm"), Some("truecolor")), Colors::Many);
    }
}
