//! Go's `time.Duration`: nanoseconds, read and written as `1h2m3.5s`.

use super::layout::quote;

/// Nanoseconds in a second.
pub(super) const SECOND: i64 = 1_000_000_000;

/// `time.ParseDuration`, with its error as Go prints it.
pub fn parse(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", quote(text));
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (digits, after) = split_while(rest, |b| b.is_ascii_digit());
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => split_while(after, |b| b.is_ascii_digit()),
            None => ("", after),
        };
        if digits.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let whole: u64 = if digits.is_empty() { 0 } else { digits.parse().map_err(|_| invalid())? };
        let (name, after) = split_while(after, |b| b != b'.' && !b.is_ascii_digit());
        if name.is_empty() {
            return Err(format!("time: missing unit in duration {}", quote(text)));
        }
        let unit =
            unit(name).ok_or_else(|| format!("time: unknown unit {} in duration {}", quote(name), quote(text)))?;
        let value = whole.checked_mul(unit).filter(|value| *value <= 1 << 63).ok_or_else(invalid)?;
        total =
            total.checked_add(value + part_of(fraction, unit)).filter(|total| *total <= 1 << 63).ok_or_else(invalid)?;
        rest = after;
    }
    if negative {
        return Ok((total as i64).wrapping_neg());
    }
    i64::try_from(total).map_err(|_| invalid())
}

/// `.5` of a unit, by way of floats as in Go; digits that overflow are dropped.
fn part_of(fraction: &str, unit: u64) -> u64 {
    let (mut value, mut scale) = (0_u64, 1.0_f64);
    for digit in fraction.bytes() {
        match value.checked_mul(10).and_then(|value| value.checked_add(u64::from(digit - b'0'))) {
            Some(next) if next <= 1 << 63 => (value, scale) = (next, scale * 10.0),
            _ => break,
        }
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

fn unit(name: &str) -> Option<u64> {
    Some(match name {
        "ns" => 1,
        // The micro sign, and the Greek letter.
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

fn split_while(text: &str, belongs: impl Fn(u8) -> bool) -> (&str, &str) {
    text.split_at(text.bytes().position(|b| !belongs(b)).unwrap_or(text.len()))
}

/// `Duration.String`
pub(super) fn print(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let total = nanoseconds.unsigned_abs();
    let decimal = |unit: u64| {
        let (whole, rest) = (total / unit, total % unit);
        let width = unit.ilog10() as usize;
        let fraction = format!("{rest:0width$}");
        match fraction.trim_end_matches('0') {
            "" => whole.to_string(),
            fraction => format!("{whole}.{fraction}"),
        }
    };
    match total {
        0 => "0s".into(),
        1..1_000 => format!("{sign}{total}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", decimal(1_000)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", decimal(1_000_000)),
        _ => {
            let minutes = total / 60_000_000_000;
            let (whole, rest) = (total / 1_000_000_000 % 60, total % 1_000_000_000);
            let fraction = format!("{rest:09}");
            let seconds = match fraction.trim_end_matches('0') {
                "" => format!("{whole}s"),
                fraction => format!("{whole}.{fraction}s"),
            };
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{sign}{seconds}"),
                (0, minutes) => format!("{sign}{minutes}m{seconds}"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}"),
            }
        }
    }
}

/// sprig's `durationRound`: the largest unit alone, `2d`.
pub(super) fn round(nanoseconds: i64) -> String {
    const HOUR: u64 = 3_600_000_000_000;
    let total = nanoseconds.unsigned_abs();
    let units = [
        (HOUR * 24 * 365, "y"),
        (HOUR * 24 * 30, "mo"),
        (HOUR * 24, "d"),
        (HOUR, "h"),
        (HOUR / 60, "m"),
        (HOUR / 3_600, "s"),
    ];
    match units.iter().find(|(unit, _)| total > *unit) {
        Some((unit, name)) => format!("{}{name}", total / unit),
        None => "0s".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print_as_in_go() {
        for (text, nanoseconds, printed) in [
            ("0", 0, "0s"),
            ("1h", 3_600 * SECOND, "1h0m0s"),
            ("-1.5h", -5_400 * SECOND, "-1h30m0s"),
            ("1h2m3.5s", 3_723_500_000_000, "1h2m3.5s"),
            ("1.5ms", 1_500_000, "1.5ms"),
            ("2us", 2_000, "2µs"),
            ("7ns", 7, "7ns"),
            (".5s", 500_000_000, "500ms"),
        ] {
            assert_eq!(parse(text), Ok(nanoseconds), "{text}");
            assert_eq!(print(nanoseconds), printed);
        }
        assert_eq!(parse("1x").unwrap_err(), "time: unknown unit \"x\" in duration \"1x\"");
        assert_eq!(parse("1").unwrap_err(), "time: missing unit in duration \"1\"");
        assert_eq!(parse("").unwrap_err(), "time: invalid duration \"\"");
        assert_eq!(print(i64::MIN), "-2562047h47m16.854775808s");
        assert_eq!(round(90_000 * SECOND), "1d");
    }
}
