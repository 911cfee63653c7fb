//! Kubernetes quantities (`500m`, `1Gi`, `1e3`), compared as numbers.

use serde_json::Value;

/// A quantity in thousandths, where 128 bits hold it exactly; absent when `text` is not a quantity.
pub fn thousandths(text: &str) -> Option<i128> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '+' | '-'))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (negative, digits) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let mantissa: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let (times, power) = factor(suffix)?;
    // mantissa * times * 10^(power - digits of the fraction), in thousandths
    let power = power + 3 - i32::try_from(fraction.len()).ok()?;
    let scaled = mantissa.checked_mul(times)?;
    let ten = 10_i128.checked_pow(power.unsigned_abs())?;
    let value = if power >= 0 {
        scaled.checked_mul(ten)?
    } else if scaled % ten == 0 {
        scaled / ten
    } else {
        return None;
    };
    Some(if negative { -value } else { value })
}

/// A suffix as `(factor, power of ten)`.
fn factor(suffix: &str) -> Option<(i128, i32)> {
    Some(match suffix {
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "" => (1, 0),
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
        other => {
            let power = other.strip_prefix(['e', 'E'])?.parse::<i32>().ok()?;
            (1, power)
        }
    })
}

/// Two values are the same amount: numbers by value, and quantities where a quantity is meant.
pub fn is_same_amount(a: &Value, b: &Value) -> bool {
    let amount = |value: &Value| match value {
        Value::String(text) => thousandths(text),
        Value::Number(number) => thousandths(&number.to_string()),
        _ => None,
    };
    match (amount(a), amount(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn equal_amounts_in_other_words() {
        for (a, b) in [
            (json!("1"), json!("1000m")),
            (json!("1Gi"), json!("1024Mi")),
            (json!("0.5"), json!("500m")),
            (json!("1e3"), json!("1k")),
            (json!(1), json!("1")),
            (json!(1000), json!(1e3)),
            (json!("1.5Gi"), json!("1536Mi")),
            (json!("100E"), json!("100000P")),
        ] {
            assert!(is_same_amount(&a, &b), "{a} {b}");
        }
        for (a, b) in [
            (json!("1"), json!("1m")),
            (json!("1G"), json!("1Gi")),
            (json!("one"), json!("one")),
            (json!("1.2.3"), json!("1.2.3")),
            (json!(""), json!("")),
            (json!("1-"), json!("1")),
            (json!("1x"), json!("1")),
        ] {
            assert!(!is_same_amount(&a, &b), "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn suffixes_are_only_another_way_to_write_zeros(n in 0_i64..1_000_000_000) {
            let milli = format!("{}m", i128::from(n) * 1000);
            prop_assert_eq!(thousandths(&n.to_string()), thousandths(&milli));
            let kibi = (i128::from(n) * 1024).to_string();
            prop_assert_eq!(thousandths(&format!("{n}Ki")), thousandths(&kibi));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = thousandths(&text);
        }
    }
}
