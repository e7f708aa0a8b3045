//! Dates read by Go's layouts: `time.Parse` where the local zone is UTC.

use super::layout::{self, MONTHS, Offset, Part, WEEKDAYS, quote};
use super::time::{Time, Zone, days_of};

/// What was read so far.
#[derive(Default)]
struct Fields {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanosecond: u32,
    afternoon: Option<bool>,
    utc: bool,
    offset: Option<i32>,
    zone: Option<String>,
}

/// Why a part could not be read.
enum Bad {
    /// It is something else
    Value,
    /// It is too large
    Range(&'static str),
}

/// Reads a date, with Go's error text.
pub(super) fn parse(whole_layout: &str, whole: &str) -> Result<Time, String> {
    let cannot = |element: &str, value: &str| {
        format!(
            "parsing time {} as {}: cannot parse {} as {}",
            quote(whole),
            quote(whole_layout),
            quote(value),
            quote(element)
        )
    };
    let failed = |message: &str| format!("parsing time {}: {message}", quote(whole));
    let mut fields = Fields::default();
    let (mut layout, mut value) = (whole_layout, whole);
    loop {
        let (before, part, element, after) = layout::next(layout);
        value = skip(value, before).map_err(|value| cannot(before, value))?;
        let Some(part) = part else { break };
        layout = after;
        let hold = value;
        match fields.read(part, &mut value, layout) {
            Ok(()) => {}
            Err(Bad::Value) => return Err(cannot(element, hold)),
            Err(Bad::Range(what)) => return Err(failed(&format!("{what} out of range"))),
        }
    }
    if !value.is_empty() {
        return Err(failed(&format!("extra text: {}", quote(value))));
    }
    fields.finish().map_err(failed)
}

/// Takes literal text off; a run of blanks in the layout takes any run.
fn skip<'v>(mut value: &'v str, mut prefix: &str) -> Result<&'v str, &'v str> {
    while let Some(c) = prefix.chars().next() {
        if c == ' ' {
            if !value.is_empty() && !value.starts_with(' ') {
                return Err(value);
            }
            prefix = prefix.trim_start_matches(' ');
            value = value.trim_start_matches(' ');
            continue;
        }
        value = value.strip_prefix(c).ok_or(value)?;
        prefix = &prefix[c.len_utf8()..];
    }
    Ok(value)
}

/// One or two digits; two where the width is fixed.
fn number(value: &mut &str, fixed: bool) -> Result<i64, Bad> {
    let digits = value.bytes().take(2).take_while(u8::is_ascii_digit).count();
    if digits == 0 || fixed && digits == 1 {
        return Err(Bad::Value);
    }
    take(value, digits)?.parse().map_err(|_| Bad::Value)
}

fn take<'v>(value: &mut &'v str, length: usize) -> Result<&'v str, Bad> {
    let (taken, rest) = value.split_at_checked(length).ok_or(Bad::Value)?;
    *value = rest;
    Ok(taken)
}

fn within(number: i64, range: std::ops::RangeInclusive<i64>, what: &'static str) -> Result<i64, Bad> {
    if range.contains(&number) { Ok(number) } else { Err(Bad::Range(what)) }
}

/// The index of the name that a value begins with, whatever its case.
fn name(value: &mut &str, names: impl Iterator<Item = &'static str>) -> Result<i64, Bad> {
    for (index, name) in names.enumerate() {
        if value.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            *value = &value[name.len()..];
            return Ok(index as i64);
        }
    }
    Err(Bad::Value)
}

impl Fields {
    fn read(&mut self, part: Part, value: &mut &str, rest_of_layout: &str) -> Result<(), Bad> {
        match part {
            Part::Year => {
                let year: i64 = number_with_sign(take(value, 2)?)?;
                self.year = year + if year >= 69 { 1900 } else { 2000 };
            }
            Part::LongYear if !value.starts_with(|c: char| c.is_ascii_digit()) => return Err(Bad::Value),
            Part::LongYear => self.year = take(value, 4)?.parse().map_err(|_| Bad::Value)?,
            Part::Month => self.month = Some(name(value, MONTHS.iter().map(|name| &name[..3]))? + 1),
            Part::LongMonth => self.month = Some(name(value, MONTHS.into_iter())? + 1),
            Part::NumericMonth | Part::ZeroMonth => {
                self.month = Some(within(number(value, part == Part::ZeroMonth)?, 1..=12, "month")?);
            }
            Part::Weekday => drop(name(value, WEEKDAYS.iter().map(|name| &name[..3]))?),
            Part::LongWeekday => drop(name(value, WEEKDAYS.into_iter())?),
            Part::Day | Part::SpaceDay | Part::ZeroDay => {
                if part == Part::SpaceDay {
                    *value = value.strip_prefix(' ').unwrap_or(value);
                }
                self.day = Some(number(value, part == Part::ZeroDay)?);
            }
            Part::SpaceYearDay | Part::ZeroYearDay => {
                for _ in 0..2 {
                    if part == Part::SpaceYearDay {
                        *value = value.strip_prefix(' ').unwrap_or(value);
                    }
                }
                let digits = value.bytes().take(3).take_while(u8::is_ascii_digit).count();
                if digits == 0 || part == Part::ZeroYearDay && digits != 3 {
                    return Err(Bad::Value);
                }
                self.year_day = take(value, digits)?.parse().ok();
            }
            Part::Hour => self.hour = within(number(value, false)?, 0..=23, "hour")?,
            Part::Hour12 | Part::ZeroHour12 => {
                self.hour = within(number(value, part == Part::ZeroHour12)?, 0..=12, "hour")?;
            }
            Part::Minute | Part::ZeroMinute => {
                self.minute = within(number(value, part == Part::ZeroMinute)?, 0..=59, "minute")?;
            }
            Part::Second | Part::ZeroSecond => {
                self.second = within(number(value, part == Part::ZeroSecond)?, 0..=59, "second")?;
                // A fraction may follow even where the layout has none.
                let follows =
                    matches!(layout::next(rest_of_layout).1, Some(Part::Fraction(..) | Part::TrimmedFraction(..)));
                if !follows {
                    self.optional_fraction(value)?;
                }
            }
            Part::UpperPm | Part::LowerPm => {
                let upper = part == Part::UpperPm;
                self.afternoon = Some(match take(value, 2)? {
                    "PM" if upper => true,
                    "AM" if upper => false,
                    "pm" if !upper => true,
                    "am" if !upper => false,
                    _ => return Err(Bad::Value),
                });
            }
            Part::Fraction(_, digits) => {
                let text = take(value, digits + 1)?;
                self.nanosecond = nanoseconds(text)?;
            }
            Part::TrimmedFraction(..) => self.optional_fraction(value)?,
            Part::Offset(style) => self.read_offset(style, value)?,
            Part::ZoneName => match value.strip_prefix("UTC") {
                Some(rest) => (self.utc, *value) = (true, rest),
                None => self.zone = Some(take(value, zone_length(value).ok_or(Bad::Value)?)?.to_owned()),
            },
        }
        Ok(())
    }

    fn optional_fraction(&mut self, value: &mut &str) -> Result<(), Bad> {
        let bytes = value.as_bytes();
        if !matches!(bytes.first(), Some(b'.' | b',')) || !bytes.get(1).is_some_and(u8::is_ascii_digit) {
            return Ok(());
        }
        let digits = bytes[1..].iter().take_while(|b| b.is_ascii_digit()).count();
        self.nanosecond = nanoseconds(take(value, digits + 1)?)?;
        Ok(())
    }

    fn read_offset(&mut self, style: Offset, value: &mut &str) -> Result<(), Bad> {
        if style.zulu
            && let Some(rest) = value.strip_prefix('Z')
        {
            (self.utc, *value) = (true, rest);
            return Ok(());
        }
        let separators = if style.colon { style.fields - 1 } else { 0 };
        let text = take(value, 1 + 2 * style.fields + separators)?;
        let (sign, mut digits) = text.split_at_checked(1).ok_or(Bad::Value)?;
        let mut numbers = [0; 3];
        for (index, field) in numbers.iter_mut().take(style.fields).enumerate() {
            if index > 0 && style.colon {
                digits = digits.strip_prefix(':').ok_or(Bad::Value)?;
            }
            *field = number(&mut digits, true)?;
        }
        let [hours, minutes, seconds] = numbers;
        within(hours, 0..=24, "time zone offset hour")?;
        within(minutes, 0..=60, "time zone offset minute")?;
        within(seconds, 0..=60, "time zone offset second")?;
        let offset = ((hours * 60 + minutes) * 60 + seconds) as i32;
        self.offset = Some(match sign {
            "+" => offset,
            "-" => -offset,
            _ => return Err(Bad::Value),
        });
        Ok(())
    }

    fn finish(mut self) -> Result<Time, &'static str> {
        match self.afternoon {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            _ => {}
        }
        if let Some(year_day) = self.year_day {
            let first = days_of(self.year, 1, 1);
            let days = days_of(self.year + 1, 1, 1) - first;
            if !(1..=days).contains(&year_day) {
                return Err("day-of-year out of range");
            }
            let month = (1..=12).rev().find(|month| days_of(self.year, *month, 1) - first < year_day).unwrap_or(1);
            let day = first + year_day - days_of(self.year, month, 1);
            if self.month.is_some_and(|given| given != month) {
                return Err("day-of-year does not match month");
            }
            if self.day.is_some_and(|given| given != day) {
                return Err("day-of-year does not match day");
            }
            (self.month, self.day) = (Some(month), Some(day));
        }
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        let (next_year, next_month) = if month == 12 { (self.year + 1, 1) } else { (self.year, month + 1) };
        let first = days_of(self.year, month, 1);
        if !(1..=days_of(next_year, next_month, 1) - first).contains(&day) {
            return Err("day out of range");
        }
        let seconds = (first + day - 1) * 86_400 + self.hour * 3600 + self.minute * 60 + self.second;
        let time =
            |offset: i32, zone| Time { seconds: seconds - i64::from(offset), nanoseconds: self.nanosecond, zone };
        Ok(match (self.offset, self.zone) {
            _ if self.utc => time(0, Zone::Utc),
            (Some(0), zone) if zone.as_deref().is_none_or(|zone| zone == "UTC") => time(0, Zone::Utc),
            (Some(offset), zone) => time(offset, Zone::Fixed(zone.unwrap_or_default(), offset)),
            // A name alone says nothing about the offset, but for `GMT+3`.
            (None, Some(zone)) => {
                let hours = zone.strip_prefix("GMT").and_then(|hours| hours.parse::<i32>().ok()).unwrap_or(0);
                time(0, Zone::Fixed(zone, hours * 3600))
            }
            (None, None) => time(0, Zone::Utc),
        })
    }
}

fn number_with_sign(text: &str) -> Result<i64, Bad> {
    text.parse().map_err(|_| Bad::Value)
}

/// A separator and digits, of which nine count.
fn nanoseconds(text: &str) -> Result<u32, Bad> {
    let digits = text.strip_prefix(['.', ',']).ok_or(Bad::Value)?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Bad::Value);
    }
    format!("{:0<9}", &digits[..digits.len().min(9)]).parse().map_err(|_| Bad::Value)
}

/// How long the abbreviation of a zone is that a value begins with.
fn zone_length(value: &str) -> Option<usize> {
    let signed = |value: &str| {
        let digits = value.strip_prefix(['+', '-'])?;
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        digits[..count].parse::<u32>().ok().filter(|hours| *hours <= 23).map(|_| count + 1)
    };
    if value.len() < 3 {
        return None;
    }
    if value.starts_with("ChST") || value.starts_with("MeST") {
        return Some(4);
    }
    if let Some(offset) = value.strip_prefix("GMT") {
        return Some(3 + signed(offset).unwrap_or(0));
    }
    if value.starts_with(['+', '-']) {
        return signed(value);
    }
    let bytes = value.as_bytes();
    match bytes.iter().take(6).take_while(|b| b.is_ascii_uppercase()).count() {
        3 => Some(3),
        4 if bytes[3] == b'T' || value.starts_with("WITA") => Some(4),
        5 if bytes[4] == b'T' => Some(5),
        _ => None,
    }
}
