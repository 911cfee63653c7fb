//! Faults by name, as a command line gives them: what is to go wrong, how much, and when.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;

use super::Refusal;

/// How long a refused client is asked to wait, in seconds.
const RETRY_AFTER: u32 = 2;

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The API is unreachable for so long.
    ApiDown(Duration),
    /// Every answer comes so late; zero ends it.
    Slow(Duration),
    /// So many requests are refused.
    Refuse(Refusal, u32),
    /// Every watch and followed log ends.
    DropWatches,
    /// Old versions are forgotten: who asks for them gets 410.
    CompactHistory,
    /// The node is cut off for so long.
    NodeSilent(Duration),
    /// Every pull of an image takes so long; zero ends it.
    SlowPulls(Duration),
    /// The cluster's clock is off by so much; zero ends it.
    Clock(SignedDuration),
    /// The newest running pod runs out of memory.
    OutOfMemory,
    /// Everything that lasts ends.
    Nothing,
}

/// A fault and how long after the start it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    pub fault: Fault,
    pub after: Duration,
}

/// A text that names no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no fault; there are api-down=S, slow=S, 500=N, 429=N, 503=N, drop-watches, compact-history, node-silent=S, slow-pulls=S, clock=S and out-of-memory, each with @S behind to come S seconds after the start"
)]
pub struct Unknown(String);

impl FromStr for Planned {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        let unknown = || Unknown(text.to_owned());
        let (fault, after) = match text.rsplit_once('@') {
            Some((fault, after)) => (fault, duration(after).ok_or_else(unknown)?),
            None => (text, Duration::ZERO),
        };
        let fault = parse(fault).ok_or_else(unknown)?;
        Ok(Self { fault, after })
    }
}

fn parse(text: &str) -> Option<Fault> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let time = || duration(value?);
    let count = || value?.parse().ok();
    Some(match name {
        "api-down" => Fault::ApiDown(time()?),
        "slow" => Fault::Slow(time()?),
        "500" => Fault::Refuse(Refusal::InternalError, count()?),
        "429" => Fault::Refuse(Refusal::TooManyRequests(RETRY_AFTER), count()?),
        "503" => Fault::Refuse(Refusal::Unavailable(RETRY_AFTER), count()?),
        "node-silent" => Fault::NodeSilent(time()?),
        "slow-pulls" => Fault::SlowPulls(time()?),
        "clock" => Fault::Clock(SignedDuration::from_secs(
            value?.parse::<i32>().ok()?.into(),
        )),
        "drop-watches" if value.is_none() => Fault::DropWatches,
        "compact-history" if value.is_none() => Fault::CompactHistory,
        "out-of-memory" if value.is_none() => Fault::OutOfMemory,
        _ => return None,
    })
}

/// Seconds, with a fraction or without, at most a year.
fn duration(text: &str) -> Option<Duration> {
    let seconds: f64 = text.strip_suffix('s').unwrap_or(text).parse().ok()?;
    let fits = (0.0..=31_536_000.0).contains(&seconds);
    fits.then(|| Duration::from_secs_f64(seconds))
}

/// As messages write a duration.
pub(super) fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

impl fmt::Display for Fault {
    /// What it does, as a message says it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiDown(during) => write!(f, "the API is down for {}", seconds(*during)),
            Self::Slow(Duration::ZERO) => f.write_str("answers come at once again"),
            Self::Slow(delay) => write!(f, "every answer comes {} late", seconds(*delay)),
            Self::Refuse(refusal, count) => {
                write!(f, "the next {count} requests get {}", refusal.code())
            }
            Self::DropWatches => f.write_str("all watches were dropped"),
            Self::CompactHistory => f.write_str("old resource versions are forgotten"),
            Self::NodeSilent(Duration::ZERO) => f.write_str("the node is heard of again"),
            Self::NodeSilent(during) => {
                write!(f, "nothing is heard of the node for {}", seconds(*during))
            }
            Self::SlowPulls(Duration::ZERO) => f.write_str("pulls are quick again"),
            Self::SlowPulls(each) => write!(f, "every image pull takes {}", seconds(*each)),
            Self::Clock(offset) if offset.is_zero() => f.write_str("the clock is right again"),
            Self::Clock(offset) => write!(f, "the clock is off by {:+} s", offset.as_secs()),
            Self::OutOfMemory => f.write_str("the newest running pod runs out of memory"),
            Self::Nothing => f.write_str("all is well again"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_named_with_their_amount_and_time() {
        let cases = [
            ("api-down=30", Fault::ApiDown(Duration::from_secs(30)), 0),
            ("slow=0.5s@10", Fault::Slow(Duration::from_millis(500)), 10),
            ("500=3", Fault::Refuse(Refusal::InternalError, 3), 0),
            ("429=1", Fault::Refuse(Refusal::TooManyRequests(2), 1), 0),
            ("503=2", Fault::Refuse(Refusal::Unavailable(2), 2), 0),
            ("drop-watches@5", Fault::DropWatches, 5),
            ("compact-history", Fault::CompactHistory, 0),
            (
                "node-silent=60",
                Fault::NodeSilent(Duration::from_mins(1)),
                0,
            ),
            (
                "slow-pulls=20",
                Fault::SlowPulls(Duration::from_secs(20)),
                0,
            ),
            (
                "clock=-3600",
                Fault::Clock(SignedDuration::from_hours(-1)),
                0,
            ),
            ("out-of-memory@60s", Fault::OutOfMemory, 60),
        ];
        for (text, fault, after) in cases {
            let after = Duration::from_secs(after);
            assert_eq!(text.parse(), Ok(Planned { fault, after }), "{text}");
        }
        for text in [
            "",
            "api-down",
            "api-down=-1",
            "slow=x",
            "500=",
            "drop-watches=1",
            "clock=1e9",
            "api-down=1@",
            "slow=inf",
            "nothing",
        ] {
            assert!(text.parse::<Planned>().is_err(), "{text}");
        }
    }
}
