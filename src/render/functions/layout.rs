//! Go's layouts of dates: `Mon Jan 2 15:04:05 MST 2006`, taken apart and filled in.

use super::time::Time;

/// A part of a layout that stands for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    LongMonth,
    Month,
    NumericMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    SpaceDay,
    ZeroDay,
    SpaceYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    ZoneName,
    Offset(Offset),
    /// `.000` or `,000`: always so many digits
    Fraction(char, usize),
    /// `.999` or `,999`: without trailing zeros
    TrimmedFraction(char, usize),
}

/// How an offset from UTC is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offset {
    /// `Z` for none (`Z07:00`)
    pub zulu: bool,
    /// `:` between the numbers
    pub colon: bool,
    /// 1 for hours alone, 2 with minutes, 3 with seconds
    pub fields: usize,
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The layouts of offsets, longest first.
const OFFSETS: [(&str, bool, usize); 5] =
    [("070000", false, 3), ("07:00:00", true, 3), ("0700", false, 2), ("07:00", true, 2), ("07", false, 1)];

/// The first part of a layout, with the text before it, its own text, and the rest.
pub(super) fn next(layout: &str) -> (&str, Option<Part>, &str, &str) {
    for index in layout.char_indices().map(|(index, _)| index) {
        if let Some((part, skip, length)) = part_at(&layout[index..]) {
            let start = index + skip;
            return (&layout[..start], Some(part), &layout[start..start + length], &layout[start + length..]);
        }
    }
    (layout, None, "", "")
}

/// The part that a text begins with: bytes to leave before it, and its length.
fn part_at(text: &str) -> Option<(Part, usize, usize)> {
    let found = |part, length| Some((part, 0, length));
    let followed_by_lower = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_lowercase);
    match text.as_bytes()[0] {
        b'J' if text.starts_with("January") => found(Part::LongMonth, 7),
        b'J' if text.starts_with("Jan") && !followed_by_lower(3) => found(Part::Month, 3),
        b'M' if text.starts_with("Monday") => found(Part::LongWeekday, 6),
        b'M' if text.starts_with("Mon") && !followed_by_lower(3) => found(Part::Weekday, 3),
        b'M' if text.starts_with("MST") => found(Part::ZoneName, 3),
        b'0' => match text.as_bytes().get(1)? {
            b'1' => found(Part::ZeroMonth, 2),
            b'2' => found(Part::ZeroDay, 2),
            b'3' => found(Part::ZeroHour12, 2),
            b'4' => found(Part::ZeroMinute, 2),
            b'5' => found(Part::ZeroSecond, 2),
            b'6' => found(Part::Year, 2),
            b'0' if text.starts_with("002") => found(Part::ZeroYearDay, 3),
            _ => None,
        },
        b'1' if text.starts_with("15") => found(Part::Hour, 2),
        b'1' => found(Part::NumericMonth, 1),
        b'2' if text.starts_with("2006") => found(Part::LongYear, 4),
        b'2' => found(Part::Day, 1),
        b'_' if text.starts_with("_2006") => Some((Part::LongYear, 1, 4)),
        b'_' if text.starts_with("_2") => found(Part::SpaceDay, 2),
        b'_' if text.starts_with("__2") => found(Part::SpaceYearDay, 3),
        b'3' => found(Part::Hour12, 1),
        b'4' => found(Part::Minute, 1),
        b'5' => found(Part::Second, 1),
        b'P' if text.starts_with("PM") => found(Part::UpperPm, 2),
        b'p' if text.starts_with("pm") => found(Part::LowerPm, 2),
        sign @ (b'-' | b'Z') => {
            let (digits, colon, fields) = OFFSETS.into_iter().find(|(digits, ..)| text[1..].starts_with(digits))?;
            found(Part::Offset(Offset { zulu: sign == b'Z', colon, fields }), digits.len() + 1)
        }
        separator @ (b'.' | b',') => {
            let digit = *text.as_bytes().get(1).filter(|b| matches!(b, b'0' | b'9'))?;
            let count = text.bytes().skip(1).take_while(|b| *b == digit).count();
            // Only where nothing but these digits follows is it a fraction.
            if text.as_bytes().get(count + 1).is_some_and(u8::is_ascii_digit) {
                return None;
            }
            let separator = char::from(separator);
            let part =
                if digit == b'0' { Part::Fraction(separator, count) } else { Part::TrimmedFraction(separator, count) };
            found(part, count + 1)
        }
        _ => None,
    }
}

/// `Time.Format`
pub(super) fn format(time: &Time, layout: &str) -> String {
    let mut out = String::new();
    let mut rest = layout;
    let date = time.date();
    loop {
        let (before, part, _, after) = next(rest);
        out.push_str(before);
        let Some(part) = part else { return out };
        rest = after;
        let hour12 = match date.hour % 12 {
            0 => 12,
            hour => hour,
        };
        out += &match part {
            Part::LongMonth => MONTHS[date.month as usize - 1].to_owned(),
            Part::Month => MONTHS[date.month as usize - 1][..3].to_owned(),
            Part::NumericMonth => date.month.to_string(),
            Part::ZeroMonth => format!("{:02}", date.month),
            Part::LongWeekday => WEEKDAYS[date.weekday].to_owned(),
            Part::Weekday => WEEKDAYS[date.weekday][..3].to_owned(),
            Part::Day => date.day.to_string(),
            Part::SpaceDay => format!("{:2}", date.day),
            Part::ZeroDay => format!("{:02}", date.day),
            Part::SpaceYearDay => format!("{:3}", date.year_day),
            Part::ZeroYearDay => format!("{:03}", date.year_day),
            Part::Hour => format!("{:02}", date.hour),
            Part::Hour12 => hour12.to_string(),
            Part::ZeroHour12 => format!("{hour12:02}"),
            Part::Minute => date.minute.to_string(),
            Part::ZeroMinute => format!("{:02}", date.minute),
            Part::Second => date.second.to_string(),
            Part::ZeroSecond => format!("{:02}", date.second),
            Part::LongYear if date.year < 0 => format!("-{:04}", date.year.unsigned_abs()),
            Part::LongYear => format!("{:04}", date.year),
            Part::Year => format!("{:02}", date.year.max(0) % 100),
            Part::UpperPm => if date.hour >= 12 { "PM" } else { "AM" }.to_owned(),
            Part::LowerPm => if date.hour >= 12 { "pm" } else { "am" }.to_owned(),
            Part::ZoneName if date.zone.is_empty() => {
                let minutes = date.offset / 60;
                let sign = if minutes < 0 { '-' } else { '+' };
                format!("{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60)
            }
            Part::ZoneName => date.zone.clone(),
            Part::Offset(style) => offset(date.offset, style),
            Part::Fraction(separator, digits) => format!("{separator}{}", fraction(date.nanosecond, digits)),
            Part::TrimmedFraction(separator, digits) => match fraction(date.nanosecond, digits).trim_end_matches('0') {
                "" => String::new(),
                digits => format!("{separator}{digits}"),
            },
        };
    }
}

fn fraction(nanoseconds: u32, digits: usize) -> String {
    let all = format!("{nanoseconds:09}");
    if digits <= 9 { all[..digits].to_owned() } else { all + &"0".repeat(digits - 9) }
}

fn offset(seconds: i32, style: Offset) -> String {
    if style.zulu && seconds == 0 {
        return "Z".into();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let total = seconds.abs();
    let fields = [total / 3600, total / 60 % 60, total % 60];
    let fields: Vec<String> = fields[..style.fields].iter().map(|field| format!("{field:02}")).collect();
    format!("{sign}{}", fields.join(if style.colon { ":" } else { "" }))
}

/// The package `time`'s own quoting, which escapes bytes beyond ASCII.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='\u{7f}' => out.push(c),
            _ => c.encode_utf8(&mut [0; 4]).bytes().for_each(|b| out += &format!("\\x{b:02x}")),
        }
    }
    out.push('"');
    out
}
