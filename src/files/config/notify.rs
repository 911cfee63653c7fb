//! The tables `[notify]` and `[history]`: how a person hears of runs, and how much of them is kept.

use super::super::history::Bounds;
use super::super::located;
use super::text;
use std::time::Duration;
use toml::de::DeValue;

/// How a terminal shows notifications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// As the terminal is known to.
    #[default]
    Auto,
    Osc9,
    Osc777,
    Off,
}

/// How a person hears of runs that ended or are about to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    pub bell: bool,
    pub desktop: Way,
    /// The newest news as the terminal's title.
    pub title: bool,
    /// Seconds before the TTL removes a Job; none: not told.
    pub before_removal: Option<u32>,
    /// Command line for `/bin/sh`, unless `--on-event` gives one.
    pub command: Option<String>,
}

impl Default for Notify {
    fn default() -> Self {
        Self {
            bell: true,
            desktop: Way::Auto,
            title: true,
            before_removal: Some(60),
            command: None,
        }
    }
}

impl Notify {
    /// Takes one value; gives the rule that it breaks.
    pub(super) fn take(&mut self, name: &str, value: &DeValue<'_>) -> Option<Result<(), String>> {
        let done = |result: Result<(), String>| Some(result);
        match name {
            "bell" => done(switch(value).map(|on| self.bell = on)),
            "title" => done(switch(value).map(|on| self.title = on)),
            "desktop" => done(way(value).map(|way| self.desktop = way)),
            "before_removal_seconds" => done(
                whole(value, 0..=86_400)
                    .map(|s| self.before_removal = u32::try_from(s).ok().filter(|s| *s > 0)),
            ),
            "command" => done(text(value).map(|command| {
                self.command = (!command.is_empty()).then_some(command);
            })),
            _ => None,
        }
    }
}

/// Takes one value of `[history]`.
pub(super) fn take(
    bounds: &mut Bounds,
    name: &str,
    value: &DeValue<'_>,
) -> Option<Result<(), String>> {
    const MIB: u64 = 1024 * 1024;
    let done = |result: Result<(), String>| Some(result);
    match name {
        "runs" => done(
            whole(value, 1..=20_000)
                .map(|runs| bounds.runs = usize::try_from(runs).unwrap_or(bounds.runs)),
        ),
        "days" => {
            done(whole(value, 1..=3650).map(|days| bounds.age = Duration::from_hours(days * 24)))
        }
        "megabytes" => done(whole(value, 1..=102_400).map(|mib| bounds.bytes = mib * MIB)),
        "log_megabytes" => done(whole(value, 1..=10_240).map(|mib| bounds.log_bytes = mib * MIB)),
        _ => None,
    }
}

fn switch(value: &DeValue<'_>) -> Result<bool, String> {
    value
        .as_bool()
        .ok_or_else(|| format!("must be true or false, and is {}", located::kind(value)))
}

fn way(value: &DeValue<'_>) -> Result<Way, String> {
    match text(value)?.as_str() {
        "auto" => Ok(Way::Auto),
        "osc9" => Ok(Way::Osc9),
        "osc777" => Ok(Way::Osc777),
        "off" => Ok(Way::Off),
        _ => Err("must be \"auto\", \"osc9\", \"osc777\" or \"off\"".into()),
    }
}

fn whole(value: &DeValue<'_>, range: std::ops::RangeInclusive<u64>) -> Result<u64, String> {
    let rule = || {
        format!(
            "must be a whole number from {} to {}",
            range.start(),
            range.end()
        )
    };
    let number = value.as_integer().ok_or_else(rule)?;
    let number = u64::from_str_radix(number.as_str(), number.radix()).map_err(|_| rule())?;
    if range.contains(&number) {
        Ok(number)
    } else {
        Err(rule())
    }
}
