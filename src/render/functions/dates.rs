//! Dates and durations.

use super::args::Args;
use super::strings::text;
use super::time::{Time, ZERO, Zone};
use super::{Failure, Host, Row, Type, duration, layout, parse_date};
use crate::render::any::Any;

pub(super) const ROWS: &[Row] = &[
    Row::new("now", &[], |host, _| Ok(now(host).into_any())),
    Row::new("date", &[Type::String, Type::Any], |host, args| {
        formatted(host, &args.text(0)?.to_str(), args.any(1)?, "Local")
    }),
    Row::new("dateInZone", &[Type::String, Type::Any, Type::String], date_in_zone),
    Row::new("date_in_zone", &[Type::String, Type::Any, Type::String], date_in_zone),
    Row::new("htmlDate", &[Type::Any], |host, args| formatted(host, "2006-01-02", args.any(0)?, "Local")),
    Row::new("htmlDateInZone", &[Type::Any, Type::String], |host, args| {
        formatted(host, "2006-01-02", args.any(0)?, &args.text(1)?.to_str())
    }),
    Row::new("dateModify", &[Type::String, Type::Time], |_, args| Ok(modified(args)?.unwrap_or(args.any(1)?.clone()))),
    Row::new("date_modify", &[Type::String, Type::Time], |_, args| Ok(modified(args)?.unwrap_or(args.any(1)?.clone()))),
    Row::new("mustDateModify", &[Type::String, Type::Time], |_, args| modified(args)?.map_err(Failure::new)),
    Row::new("must_date_modify", &[Type::String, Type::Time], |_, args| modified(args)?.map_err(Failure::new)),
    Row::new("toDate", &[Type::String, Type::String], |_, args| Ok(parsed(args)?.unwrap_or(ZERO).into_any())),
    Row::new("mustToDate", &[Type::String, Type::String], |_, args| {
        parsed(args)?.map(Time::into_any).map_err(Failure::new)
    }),
    Row::new("unixEpoch", &[Type::Time], |_, args| text(moment(args.any(0)?)?.seconds.to_string())),
    Row::new("ago", &[Type::Any], ago),
    Row::new("duration", &[Type::Any], seconds),
    Row::new("durationRound", &[Type::Any], duration_round),
];

fn now(host: &mut dyn Host) -> Time {
    let (seconds, nanoseconds) = host.now();
    Time::unix(seconds, nanoseconds)
}

fn moment(value: &Any) -> Result<&Time, Failure> {
    Time::of(value).ok_or_else(|| Failure::new("wrong type for value; expected time.Time"))
}

/// What sprig takes for a moment: one, or the seconds of an integer; now for everything else.
fn moment_or_now(host: &mut dyn Host, value: &Any) -> Time {
    match value {
        Any::Int(seconds) | Any::Int64(seconds) => Time::unix(*seconds, 0),
        other => Time::of(other).cloned().unwrap_or_else(|| now(host)),
    }
}

fn formatted(host: &mut dyn Host, layout: &str, value: &Any, zone: &str) -> Result<Any, Failure> {
    let time = moment_or_now(host, value);
    text(layout::format(&Time { zone: Zone::load(zone).unwrap_or(Zone::Utc), ..time }, layout))
}

fn date_in_zone(host: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    formatted(host, &args.text(0)?.to_str(), args.any(1)?, &args.text(2)?.to_str())
}

/// A moment moved by a duration, or what is wrong with the duration.
fn modified(args: &[Any]) -> Result<Result<Any, String>, Failure> {
    let time = moment(args.any(1)?)?;
    Ok(duration::parse(&args.text(0)?.to_str()).map(|nanoseconds| time.plus(nanoseconds).into_any()))
}

fn parsed(args: &[Any]) -> Result<Result<Time, String>, Failure> {
    Ok(parse_date::parse(&args.text(0)?.to_str(), &args.text(1)?.to_str()))
}

fn ago(host: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let time = moment_or_now(host, args.any(0)?);
    let passed = i128::from(now(host).since(&time));
    // To the nearest second, halves away from zero.
    let second = i128::from(duration::SECOND);
    let rounded = (passed + passed.signum() * second / 2) / second * second;
    text(duration::print(rounded.clamp(i64::MIN.into(), i64::MAX.into()) as i64))
}

/// Only texts and `int64` count: `duration 95` is nothing.
fn seconds(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let seconds = match args.any(0)? {
        Any::String(text) => super::cast::parse_int_or_nearest(&text.to_str()),
        Any::Int64(value) => *value,
        _ => 0,
    };
    text(duration::print(seconds.wrapping_mul(duration::SECOND)))
}

fn duration_round(host: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let nanoseconds = match args.any(0)? {
        Any::String(text) => duration::parse(&text.to_str()).unwrap_or(0),
        Any::Int64(value) => *value,
        other => match Time::of(other) {
            Some(time) => now(host).since(time),
            None => 0,
        },
    };
    text(duration::round(nanoseconds))
}
