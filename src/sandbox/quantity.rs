//! Kubernetes' resource quantities (`100m`, `128Mi`, `1e3`), as exact numbers of thousandths.

use std::cmp::Ordering;
use std::fmt;

/// An amount of a resource in thousandths of its unit: cores for `cpu`, bytes for `memory`, pieces for everything else.
///
/// Thousandths are the finest step the scheduler counts in; finer ones are rounded up, as Kubernetes does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Quantity {
    thousandths: i128,
    /// Whether it was given, and is written, in powers of 1024.
    binary: bool,
}

impl Quantity {
    /// Nothing.
    pub(crate) const ZERO: Self = Self::whole(0);

    /// So many whole units.
    pub(crate) const fn whole(units: i64) -> Self {
        Self {
            thousandths: units as i128 * 1000,
            binary: false,
        }
    }

    /// Reads the text form; `None` when it is not a quantity.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text
            .char_indices()
            .find(|(at, c)| {
                !(c.is_ascii_digit() || *c == '.' || (*at == 0 && (*c == '-' || *c == '+')))
            })
            .map_or(text.len(), |(at, _)| at);
        let (number, suffix) = text.split_at(digits);
        let (negative, number) = match number.as_bytes().first()? {
            b'-' => (true, &number[1..]),
            b'+' => (false, &number[1..]),
            _ => (false, number),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
        let (multiplier, power) = scale(suffix)?;
        // value = mantissa * 10^(power - fraction digits) * multiplier, in thousandths: three powers more.
        let exponent = power + 3 - i32::try_from(fraction.len()).ok()?;
        let scaled = mantissa.checked_mul(multiplier)?;
        let amount = if exponent >= 0 {
            scaled.checked_mul(10_i128.checked_pow(exponent.unsigned_abs())?)?
        } else {
            let divisor = 10_i128.checked_pow(exponent.unsigned_abs())?;
            scaled.checked_add(divisor - 1)? / divisor
        };
        Some(Self {
            thousandths: if negative { -amount } else { amount },
            binary: suffix.ends_with('i'),
        })
    }

    /// The text as a server stores it: `0.5` becomes `500m`, `1024Mi` becomes `1Gi`. `None` when it is not a quantity. Powers of ten
    /// as `1e3` and what is finer than thousandths stay as they are given.
    pub(crate) fn stored(text: &str) -> Option<String> {
        let amount = Self::parse(text)?;
        let digits = |c: char| c.is_ascii_digit();
        let exponent = text.contains(['e', 'E']) && text.ends_with(digits);
        let stays = exponent || text.ends_with(['n', 'u']);
        Some(if stays {
            text.trim().to_owned()
        } else {
            amount.to_string()
        })
    }

    /// Whether it is a whole number of units.
    pub(crate) const fn is_whole(self) -> bool {
        self.thousandths % 1000 == 0
    }

    /// The sum, held at the largest number there is, in the form of this one unless that is nothing.
    pub(crate) fn plus(self, other: Self) -> Self {
        let form = if self.thousandths == 0 { other } else { self };
        Self {
            thousandths: self.thousandths.saturating_add(other.thousandths),
            binary: form.binary,
        }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.thousandths == other.thousandths
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.thousandths.cmp(&other.thousandths)
    }
}

impl fmt::Display for Quantity {
    /// The shortest whole number with a suffix, as Kubernetes writes it: `100m`, `1k`, `128Mi`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut number, mut suffixes, base) = match self.thousandths {
            all if self.binary && all % 1000 == 0 && all.abs() >= 1024 * 1000 => (
                all / 1000,
                ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].iter(),
                1024,
            ),
            all => (all, ["m", "", "k", "M", "G", "T", "P", "E"].iter(), 1000),
        };
        let mut suffix = suffixes.next().copied().unwrap_or_default();
        if number == 0 {
            return f.write_str("0");
        }
        while number % base == 0
            && let Some(larger) = suffixes.next()
        {
            number /= base;
            suffix = larger;
        }
        write!(f, "{number}{suffix}")
    }
}

/// A suffix as a binary multiplier and a power of ten.
fn scale(suffix: &str) -> Option<(i128, i32)> {
    Some(match suffix {
        "" => (1, 0),
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "k" => (1, 3),
        "M" => (1, 6),
        "G" => (1, 9),
        "T" => (1, 12),
        "P" => (1, 15),
        "E" => (1, 18),
        "Ki" => (1 << 10, 0),
        "Mi" => (1 << 20, 0),
        "Gi" => (1 << 30, 0),
        "Ti" => (1 << 40, 0),
        "Pi" => (1 << 50, 0),
        "Ei" => (1 << 60, 0),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?;
            let power: i32 = exponent.parse().ok()?;
            if power.abs() > 30 {
                return None;
            }
            (1, power)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form() {
        for (text, thousandths) in [
            ("0", 0),
            ("1", 1000),
            ("100m", 100),
            ("0.1", 100),
            ("1.5", 1500),
            ("128Mi", 128 * 1024 * 1024 * 1000),
            ("1Gi", 1024 * 1024 * 1024 * 1000),
            ("1k", 1_000_000),
            ("1e3", 1_000_000),
            ("1E3", 1_000_000),
            ("2E", 2_000_000_000_000_000_000_000),
            ("1n", 1),
            ("-5", -5000),
            (".5", 500),
            ("5.", 5000),
        ] {
            let read = Quantity::parse(text).map(|one| one.thousandths);
            assert_eq!(read, Some(thousandths), "{text}");
        }
    }

    #[test]
    fn is_written_in_its_shortest_whole_form() {
        for (text, written) in [
            ("0", "0"),
            ("0Mi", "0"),
            ("1", "1"),
            ("0.2", "200m"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("2000", "2k"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("512", "512"),
            ("0.5Ki", "512"),
            ("128974848", "128974848"),
            ("-5", "-5"),
        ] {
            let written_back = Quantity::parse(text).map(|one| one.to_string());
            assert_eq!(written_back.as_deref(), Some(written), "{text}");
        }
        let sum = |a: &str, b: &str| {
            let read = |text| Quantity::parse(text).unwrap();
            read(a).plus(read(b)).to_string()
        };
        assert_eq!(sum("0", "512Mi"), "512Mi");
        assert_eq!(sum("512Mi", "536870912"), "1Gi");
    }

    #[test]
    fn refuses_what_is_none() {
        for text in [
            "", "m", "1x", "1.2.3", "--1", "1 Gi", "1e", "1e99", "abc", ".",
        ] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }

    #[test]
    fn compares_across_forms() {
        assert!(Quantity::parse("1000m") == Quantity::parse("1"));
        assert!(Quantity::parse("1Gi") > Quantity::parse("1G"));
    }
}
