//! Durations and timestamps.

use std::fmt;
use std::sync::OnceLock;

use jiff::tz::TimeZoneDatabase;

use super::{Row, text};
use crate::cel::Failure;
use crate::cel::ops::int_overflow;
use crate::cel::value::{Data, Val};
use crate::render::functions::duration;

/// A moment: seconds since the Unix epoch and nanoseconds, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    /// Seconds since 1970.
    pub seconds: i64,
    /// Nanoseconds after that second, below 10⁹.
    pub nanos: u32,
}

const NANOS: i64 = 1_000_000_000;
/// Year 1 to year 9999, as protobuf bounds timestamps.
const RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// The library's rows.
pub const ROWS: &[Row] = &[
    Row::global("duration", &["(duration) -> duration", "(int) -> duration", "(string) -> duration"], |_, args| {
        match &args[0].data {
            Data::Duration(_) => Ok(args[0].clone()),
            // Declared, and not there: cel-go refuses it, too.
            Data::Int(_) => Err(Failure::new("type conversion error from 'int' to 'google.protobuf.Duration'")),
            _ => parse_duration(text(&args[0])?).map(|nanos| Val::new(Data::Duration(nanos))),
        }
    }),
    Row::global(
        "timestamp",
        &["(timestamp) -> timestamp", "(int) -> timestamp", "(string) -> timestamp"],
        |_, args| match &args[0].data {
            Data::Timestamp(_) => Ok(args[0].clone()),
            Data::Int(seconds) => moment(i128::from(*seconds), 0),
            _ => parse_timestamp(text(&args[0])?).map(|at| Val::new(Data::Timestamp(at))),
        },
    ),
    Row::member("getFullYear", &["(timestamp) -> int"], |_, args| field(args, |civil| civil.year)),
    Row::member("getFullYear", &["(timestamp, string) -> int"], |_, args| field(args, |civil| civil.year)),
    Row::member("getMonth", &["(timestamp) -> int"], |_, args| field(args, |civil| civil.month - 1)),
    Row::member("getMonth", &["(timestamp, string) -> int"], |_, args| field(args, |civil| civil.month - 1)),
    Row::member("getDayOfYear", &["(timestamp) -> int"], |_, args| field(args, |civil| civil.day_of_year)),
    Row::member("getDayOfYear", &["(timestamp, string) -> int"], |_, args| field(args, |civil| civil.day_of_year)),
    Row::member("getDayOfMonth", &["(timestamp) -> int"], |_, args| field(args, |civil| civil.day - 1)),
    Row::member("getDayOfMonth", &["(timestamp, string) -> int"], |_, args| field(args, |civil| civil.day - 1)),
    Row::member("getDate", &["(timestamp) -> int"], |_, args| field(args, |civil| civil.day)),
    Row::member("getDate", &["(timestamp, string) -> int"], |_, args| field(args, |civil| civil.day)),
    Row::member("getDayOfWeek", &["(timestamp) -> int"], |_, args| field(args, |civil| civil.day_of_week)),
    Row::member("getDayOfWeek", &["(timestamp, string) -> int"], |_, args| field(args, |civil| civil.day_of_week)),
    Row::member("getHours", &["(timestamp) -> int", "(duration) -> int"], |_, args| {
        part(args, 3600 * NANOS, |civil| civil.second / 3600)
    }),
    Row::member("getHours", &["(timestamp, string) -> int"], |_, args| field(args, |civil| civil.second / 3600)),
    Row::member("getMinutes", &["(timestamp) -> int", "(duration) -> int"], |_, args| {
        part(args, 60 * NANOS, |civil| civil.second / 60 % 60)
    }),
    Row::member("getMinutes", &["(timestamp, string) -> int"], |_, args| field(args, |civil| civil.second / 60 % 60)),
    Row::member("getSeconds", &["(timestamp) -> int", "(duration) -> int"], |_, args| {
        part(args, NANOS, |civil| civil.second % 60)
    }),
    Row::member("getSeconds", &["(timestamp, string) -> int"], |_, args| field(args, |civil| civil.second % 60)),
    Row::member("getMilliseconds", &["(timestamp) -> int", "(duration) -> int"], |_, args| match args[0].data {
        Data::Duration(nanos) => Ok((nanos / 1_000_000).into()),
        _ => field(args, |civil| civil.nanos / 1_000_000),
    }),
    Row::member("getMilliseconds", &["(timestamp, string) -> int"], |_, args| {
        field(args, |civil| civil.nanos / 1_000_000)
    }),
];

/// A moment in a calendar.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    day_of_year: i64,
    day_of_week: i64,
    second: i64,
    nanos: i64,
}

/// A part of a duration in its unit, or of a timestamp.
fn part(args: &[Val], unit: i64, of: fn(Civil) -> i64) -> Result<Val, Failure> {
    match args[0].data {
        Data::Duration(nanos) => Ok((nanos / unit).into()),
        _ => field(args, of),
    }
}

fn field(args: &[Val], of: fn(Civil) -> i64) -> Result<Val, Failure> {
    let Data::Timestamp(at) = args[0].data else { return Err(Failure::NoSuchOverload) };
    let offset = args.get(1).map_or(Ok(0), |zone| offset(text(zone)?, at.seconds))?;
    Ok(of(civil(at.seconds + offset, at.nanos)).into())
}

/// The offset of a time zone at a moment, in seconds: `+02:00`, or a name of the time zone database.
fn offset(zone: &str, at: i64) -> Result<i64, Failure> {
    static DATABASE: OnceLock<TimeZoneDatabase> = OnceLock::new();
    if let Some((hours, minutes)) = zone.split_once(':') {
        let invalid = || Failure::Other(format!("invalid time zone {zone}"));
        let hours: i64 = hours.parse().map_err(|_| invalid())?;
        let minutes: i64 = minutes.parse::<u8>().map_err(|_| invalid())?.into();
        let sign = if zone.starts_with('-') { -1 } else { 1 };
        return hours
            .checked_mul(3600)
            .filter(|s| s.abs() < 1 << 40)
            .map(|s| s + sign * minutes * 60)
            .ok_or_else(invalid);
    }
    if zone.is_empty() || zone == "UTC" {
        return Ok(0);
    }
    let found = DATABASE.get_or_init(TimeZoneDatabase::bundled).get(zone).ok();
    // The database is lenient about case, cel-go is not.
    let found = found.filter(|found| found.iana_name() == Some(zone));
    let found = found.ok_or_else(|| Failure::Other(format!("unknown time zone {zone}")))?;
    let at = jiff::Timestamp::from_second(at).map_err(|_| Failure::new("timestamp overflow"))?;
    Ok(found.to_offset(at).seconds().into())
}

/// The proleptic Gregorian calendar, by eras of 400 years that begin in March.
fn civil(seconds: i64, nanos: u32) -> Civil {
    let days = seconds.div_euclid(86_400);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let from_march = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * from_march + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Civil {
        year,
        month,
        day: from_march - (153 * month_from_march + 2) / 5 + 1,
        day_of_year: days - days_before(year, 1, 1),
        day_of_week: (days + 4).rem_euclid(7),
        second: seconds.rem_euclid(86_400),
        nanos: i64::from(nanos),
    }
}

/// The days from 1970 to a date.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let from_march = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + from_march - 719_468
}

fn moment(seconds: i128, nanos: u32) -> Result<Val, Failure> {
    match i64::try_from(seconds) {
        Ok(seconds) if RANGE.contains(&seconds) => Ok(Val::new(Data::Timestamp(Timestamp { seconds, nanos }))),
        _ => Err(Failure::new("timestamp overflow")),
    }
}

/// Reads `1h30m`, as Go's `time.ParseDuration` does, into nanoseconds.
pub fn parse_duration(text: &str) -> Result<i64, Failure> {
    let invalid = |_| Failure::new("type conversion error from 'string' to 'google.protobuf.Duration'");
    duration::parse(text).map_err(invalid)
}

/// A duration as `string()` prints it: in seconds.
pub fn print_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let (whole, fraction) = (nanos.unsigned_abs() / NANOS as u64, nanos.unsigned_abs() % NANOS as u64);
    let fraction = format!("{fraction:09}");
    let fraction = fraction.trim_end_matches('0');
    format!("{sign}{whole}{}{fraction}s", if fraction.is_empty() { "" } else { "." })
}

/// Reads RFC 3339.
pub fn parse_timestamp(text: &str) -> Result<Timestamp, Failure> {
    let invalid = || Failure::new("type conversion error from 'string' to 'google.protobuf.Timestamp'");
    parse_rfc3339(text)
        .ok_or_else(invalid)
        .and_then(|at| if RANGE.contains(&at.seconds) { Ok(at) } else { Err(Failure::new("timestamp overflow")) })
}

fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(range)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let is = |at: usize, wanted: &[u8]| text.as_bytes().get(at).is_some_and(|byte| wanted.contains(byte));
    if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt") && is(13, b":") && is(16, b":")) {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut rest = text.get(19..)?;
    let mut nanos = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
        let (digits, tail) = fraction.split_at(end);
        if digits.is_empty() {
            return None;
        }
        nanos = format!("{digits:0<9}").get(..9)?.parse().ok()?;
        rest = tail;
    }
    let shift = match rest.as_bytes() {
        [b'Z' | b'z'] => 0,
        [b'+' | b'-', _, _, b':', _, _] => offset(rest, 0).ok()?,
        _ => return None,
    };
    let seconds = days_before(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - shift;
    Some(Timestamp { seconds, nanos })
}

/// RFC 3339 in UTC, with as many digits of the second as it has.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = civil(self.seconds, self.nanos);
        let (hour, minute, second) = (at.second / 3600, at.second / 60 % 60, at.second % 60);
        write!(f, "{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}", at.year, at.month, at.day)?;
        if self.nanos > 0 {
            write!(f, ".{}", format!("{:09}", self.nanos).trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

/// `+` with a duration or timestamp on one side.
pub fn add(a: &Val, b: &Val) -> Result<Val, Failure> {
    match (&a.data, &b.data) {
        (Data::Duration(a), Data::Duration(b)) => duration(a.checked_add(*b)),
        (Data::Timestamp(at), Data::Duration(by)) | (Data::Duration(by), Data::Timestamp(at)) => {
            shift(*at, i128::from(*by))
        }
        _ => Err(Failure::NoSuchOverload),
    }
}

/// `-` with a duration or timestamp on the left.
pub fn subtract(a: &Val, b: &Val) -> Result<Val, Failure> {
    match (&a.data, &b.data) {
        (Data::Duration(a), Data::Duration(b)) => duration(a.checked_sub(*b)),
        (Data::Timestamp(at), Data::Duration(by)) => shift(*at, -i128::from(*by)),
        (Data::Timestamp(a), Data::Timestamp(b)) => {
            let nanos = (i128::from(a.seconds) - i128::from(b.seconds)) * i128::from(NANOS) + i128::from(a.nanos)
                - i128::from(b.nanos);
            duration(i64::try_from(nanos).ok())
        }
        _ => Err(Failure::NoSuchOverload),
    }
}

fn duration(nanos: Option<i64>) -> Result<Val, Failure> {
    nanos.map(|nanos| Val::new(Data::Duration(nanos))).ok_or_else(int_overflow)
}

fn shift(at: Timestamp, by: i128) -> Result<Val, Failure> {
    let nanos = i128::from(at.seconds) * i128::from(NANOS) + i128::from(at.nanos) + by;
    moment(nanos.div_euclid(i128::from(NANOS)), nanos.rem_euclid(i128::from(NANOS)) as u32)
}
