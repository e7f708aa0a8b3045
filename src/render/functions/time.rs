//! Moments: Go's `time.Time` as templates see it, and its calendar.

use std::any::Any as StdAny;
use std::rc::Rc;
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::args::Args;
use super::{Failure, Type, duration, layout};
use crate::render::any::{Any, Method, Object, Text};
use crate::value::Value;

/// A moment in a zone.
#[derive(Clone)]
pub(super) struct Time {
    /// Seconds since the Unix epoch
    pub seconds: i64,
    /// Nanoseconds after that
    pub nanoseconds: u32,
    /// Where it is told
    pub zone: Zone,
}

/// A place's time. The local one is UTC: rendering does not depend on the machine.
#[derive(Clone)]
pub(super) enum Zone {
    /// UTC
    Utc,
    /// An offset in seconds with a name, which may be empty
    Fixed(String, i32),
    /// A place of the time zone database
    Place(TimeZone),
}

/// A moment as a calendar and a clock show it.
pub(super) struct Date {
    pub year: i64,
    pub month: i64,
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    pub nanosecond: u32,
    /// From Sunday, 0
    pub weekday: usize,
    /// From 1
    pub year_day: i64,
    /// Seconds east of UTC
    pub offset: i32,
    /// `CEST`
    pub zone: String,
}

/// Go's zero `Time`, the first moment of the year 1.
pub(super) const ZERO: Time = Time { seconds: -62_135_596_800, nanoseconds: 0, zone: Zone::Utc };

impl Zone {
    /// `time.LoadLocation`; `None` for a name that the database has not.
    pub(super) fn load(name: &str) -> Option<Self> {
        static DATABASE: OnceLock<TimeZoneDatabase> = OnceLock::new();
        if matches!(name, "" | "UTC" | "Local") {
            return Some(Self::Utc);
        }
        let place = DATABASE.get_or_init(TimeZoneDatabase::bundled).get(name).ok()?;
        // The database is lenient about case, files are not.
        (place.iana_name() == Some(name)).then_some(Self::Place(place))
    }

    /// Seconds east of UTC, and what that is called there and then.
    fn at(&self, seconds: i64) -> (i32, String) {
        match self {
            Self::Utc => (0, "UTC".into()),
            Self::Fixed(name, offset) => (*offset, name.clone()),
            Self::Place(place) => {
                let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
                let moment = Timestamp::from_second(seconds.clamp(first, last)).unwrap_or(Timestamp::UNIX_EPOCH);
                let info = place.to_offset_info(moment);
                (info.offset().seconds(), info.abbreviation().to_owned())
            }
        }
    }
}

/// Days since the Unix epoch of a date in the Gregorian calendar.
pub(super) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March put the leap day last.
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date of days since the Unix epoch.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

impl Time {
    /// A moment by the Unix clock, in local time.
    pub(super) fn unix(seconds: i64, nanoseconds: u32) -> Self {
        Self { seconds, nanoseconds, zone: Zone::Utc }
    }

    /// A template value.
    pub(super) fn into_any(self) -> Any {
        Any::Object(Rc::new(self))
    }

    /// The moment of an argument, if it is one.
    pub(super) fn of(value: &Any) -> Option<&Self> {
        match value {
            Any::Object(object) => object.as_any().downcast_ref(),
            _ => None,
        }
    }

    /// What calendar and clock show.
    pub(super) fn date(&self) -> Date {
        let (offset, zone) = self.zone.at(self.seconds);
        let local = self.seconds.saturating_add(i64::from(offset));
        let (days, clock) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        let (year, month, day) = date_of(days);
        Date {
            year,
            month,
            day,
            hour: clock / 3600,
            minute: clock / 60 % 60,
            second: clock % 60,
            nanosecond: self.nanoseconds,
            weekday: (days + 4).rem_euclid(7) as usize,
            year_day: days - days_of(year, 1, 1) + 1,
            offset,
            zone,
        }
    }

    /// Later by nanoseconds.
    pub(super) fn plus(&self, nanoseconds: i64) -> Self {
        let total = i64::from(self.nanoseconds) + nanoseconds % duration::SECOND;
        Self {
            seconds: self
                .seconds
                .wrapping_add(nanoseconds / duration::SECOND)
                .wrapping_add(total.div_euclid(duration::SECOND)),
            nanoseconds: total.rem_euclid(duration::SECOND) as u32,
            zone: self.zone.clone(),
        }
    }

    /// Nanoseconds since another moment, at most what a duration holds.
    pub(super) fn since(&self, earlier: &Self) -> i64 {
        let nanoseconds = |time: &Self| i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanoseconds);
        (nanoseconds(self) - nanoseconds(earlier)).clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }
}

/// An integer type with names for its values: `time.Month`, `time.Weekday`, `time.Duration`.
struct Named {
    type_name: &'static str,
    kind: &'static str,
    value: i64,
    text: String,
}

impl Object for Named {
    fn type_name(&self) -> &'static str {
        self.type_name
    }

    fn kind(&self) -> &'static str {
        self.kind
    }

    fn method(&self, name: &str) -> Option<Method> {
        (name == "String").then_some(Method { params: &[], call: |object, _| Ok(Any::String(object.print())) })
    }

    fn print(&self) -> Text {
        self.text.as_str().into()
    }

    fn to_value(&self) -> Value {
        Value::Int(self.value)
    }

    fn as_any(&self) -> &dyn StdAny {
        self
    }
}

/// The number of a `time.Month` or `time.Weekday`.
pub(super) fn ordinal(object: &dyn Object) -> Option<i64> {
    object.as_any().downcast_ref::<Named>().filter(|named| named.kind == "int").map(|named| named.value)
}

fn named(type_name: &'static str, kind: &'static str, value: i64, text: impl Into<String>) -> Any {
    Any::Object(Rc::new(Named { type_name, kind, value, text: text.into() }))
}

/// The methods that a template can call with what it has.
fn method(name: &str) -> Option<Method> {
    let none: &'static [Type] = &[];
    type Call = fn(&dyn Object, &[Any]) -> Result<Any, Failure>;
    let (params, call): (&'static [Type], Call) = match name {
        "Year" => (none, |object, _| Ok(Any::Int(receiver(object)?.date().year))),
        "Month" => (none, |object, _| {
            let month = receiver(object)?.date().month;
            Ok(named("time.Month", "int", month, layout::MONTHS[month as usize - 1]))
        }),
        "Day" => (none, |object, _| Ok(Any::Int(receiver(object)?.date().day))),
        "Weekday" => (none, |object, _| {
            let weekday = receiver(object)?.date().weekday;
            Ok(named("time.Weekday", "int", weekday as i64, layout::WEEKDAYS[weekday]))
        }),
        "YearDay" => (none, |object, _| Ok(Any::Int(receiver(object)?.date().year_day))),
        "Hour" => (none, |object, _| Ok(Any::Int(receiver(object)?.date().hour))),
        "Minute" => (none, |object, _| Ok(Any::Int(receiver(object)?.date().minute))),
        "Second" => (none, |object, _| Ok(Any::Int(receiver(object)?.date().second))),
        "Nanosecond" => (none, |object, _| Ok(Any::Int(receiver(object)?.nanoseconds.into()))),
        "Unix" => (none, |object, _| Ok(Any::Int64(receiver(object)?.seconds))),
        "UnixMilli" => (none, |object, _| Ok(Any::Int64(unix_in(receiver(object)?, 1_000)))),
        "UnixMicro" => (none, |object, _| Ok(Any::Int64(unix_in(receiver(object)?, 1_000_000)))),
        "UnixNano" => (none, |object, _| Ok(Any::Int64(unix_in(receiver(object)?, 1_000_000_000)))),
        "IsZero" => (none, |object, _| Ok(Any::Bool(receiver(object)?.since(&ZERO) == 0))),
        "UTC" | "Local" => (none, |object, _| Ok(Time { zone: Zone::Utc, ..receiver(object)?.clone() }.into_any())),
        "String" => (none, |object, _| Ok(Any::String(object.print()))),
        "Format" => (&[Type::String], |object, args| {
            Ok(Any::String(layout::format(receiver(object)?, &args.text(0)?.to_str()).into()))
        }),
        "AddDate" => (&[Type::Int, Type::Int, Type::Int], |object, args| add_date(receiver(object)?, args)),
        "After" => (&[Type::Time], |object, args| Ok(Any::Bool(order(receiver(object)?, args)?.is_gt()))),
        "Before" => (&[Type::Time], |object, args| Ok(Any::Bool(order(receiver(object)?, args)?.is_lt()))),
        "Equal" => (&[Type::Time], |object, args| Ok(Any::Bool(order(receiver(object)?, args)?.is_eq()))),
        "Sub" => (&[Type::Time], |object, args| {
            let nanoseconds = receiver(object)?.since(Time::of(args.any(0)?).unwrap_or(&ZERO));
            Ok(named("time.Duration", "int64", nanoseconds, duration::print(nanoseconds)))
        }),
        _ => return None,
    };
    Some(Method { params, call })
}

fn receiver(object: &dyn Object) -> Result<&Time, Failure> {
    object.as_any().downcast_ref().ok_or_else(|| Failure::new("the receiver is no time.Time"))
}

fn unix_in(time: &Time, unit: i64) -> i64 {
    time.seconds.wrapping_mul(unit).wrapping_add(i64::from(time.nanoseconds) / (duration::SECOND / unit))
}

fn order(time: &Time, args: &[Any]) -> Result<std::cmp::Ordering, Failure> {
    let other = Time::of(args.any(0)?).unwrap_or(&ZERO);
    Ok((time.seconds, time.nanoseconds).cmp(&(other.seconds, other.nanoseconds)))
}

/// Years, months and days later; days beyond a month run over into the next.
fn add_date(time: &Time, args: &[Any]) -> Result<Any, Failure> {
    let date = time.date();
    let limit = |value: i64| value.clamp(-1_000_000_000, 1_000_000_000);
    let months = date.year * 12 + date.month - 1 + limit(args.int(0)?) * 12 + limit(args.int(1)?);
    let first = days_of(months.div_euclid(12), months.rem_euclid(12) + 1, 1);
    let clock = date.hour * 3600 + date.minute * 60 + date.second;
    let seconds = (first + date.day - 1 + limit(args.int(2)?)) * 86_400 + clock - i64::from(date.offset);
    Ok(Time { seconds, ..time.clone() }.into_any())
}

impl Object for Time {
    fn type_name(&self) -> &'static str {
        "time.Time"
    }

    fn method(&self, name: &str) -> Option<Method> {
        method(name)
    }

    fn print(&self) -> Text {
        layout::format(self, "2006-01-02 15:04:05.999999999 -0700 MST").into()
    }

    fn to_value(&self) -> Value {
        Value::from(layout::format(self, "2006-01-02T15:04:05.999999999Z07:00"))
    }

    fn as_any(&self) -> &dyn StdAny {
        self
    }
}
