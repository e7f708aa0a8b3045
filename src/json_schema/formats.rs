//! Formats that upstream knows in every draft before 2019-09, and the validator in some or none.
//!
//! Source: github.com/santhosh-tekuri/jsonschema v6.0.2, `format.go`.

use crate::semver::Version;

/// A name, and whether a text is of that format.
type Format = (&'static str, fn(&str) -> bool);

/// The formats that the validator does not have, or has in another form.
pub const FORMATS: &[Format] = &[
    ("duration", is_duration),
    ("json-pointer", is_json_pointer),
    ("semver", is_semver),
    ("uri-reference", is_uri_reference),
    ("uuid", is_uuid),
];

/// `P1Y2M3DT4H5M6S`, `P4W`
pub fn is_duration(text: &str) -> bool {
    let units = |text: &str, known: &str| {
        let mut known = known.chars();
        let mut digits = 0;
        text.chars().all(|c| {
            let is_digit = c.is_ascii_digit();
            let fits = is_digit || digits > 0 && known.any(|unit| unit == c);
            digits = if is_digit { digits + 1 } else { 0 };
            fits
        }) && digits == 0
    };
    let Some(text) = text.strip_prefix('P').filter(|text| !text.is_empty()) else { return false };
    if text.ends_with('W') {
        return units(text, "W");
    }
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    units(date, "YMD") && time.is_none_or(|time| !time.is_empty() && units(time, "HMS"))
}

fn is_json_pointer(text: &str) -> bool {
    let is_escaped = |token: &str| token.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    text.is_empty() || text.starts_with('/') && is_escaped(text)
}

/// A version in full, as semver.org has it.
fn is_semver(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<&str> = core.split('.').collect();
    numbers.len() == 3
        && numbers.iter().all(|number| !number.is_empty() && (*number == "0" || !number.starts_with('0')))
        && !text.starts_with('v')
        && text.parse::<Version>().is_ok()
}

/// What Go's `url.Parse` takes, which is almost anything.
fn is_uri_reference(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let escapes = bytes.iter().enumerate().all(|(at, byte)| *byte != b'%' || is_hex(at + 1) && is_hex(at + 2));
    escapes && !text.contains('\\') && !text.chars().any(|c| c.is_ascii_control())
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        for (format, right, wrong) in [
            (
                "duration",
                &["P1Y2M3DT4H5M6S", "P4W", "PT1S", "P1D"][..],
                &["", "P", "PT", "1D", "P1", "P1S", "P1DT", "PD"][..],
            ),
            ("json-pointer", &["", "/", "/a~0b/~1"], &["a", "/~2", "/~"]),
            ("semver", &["1.2.3", "0.0.0-a.1+b"], &["1.2", "v1.2.3", "01.2.3", "1.2.3-"]),
            ("uri-reference", &["a b", "/x?y#z", "%41"], &["%4", "a\\b", "\u{7}"]),
            ("uuid", &["2EB8AA08-aa98-11ea-b4aa-73b441d16380"], &["2eb8aa08", "2eb8aa08-aa98-11ea-b4aa-73b441d1638g"]),
        ] {
            let (_, check) = FORMATS.iter().find(|(name, _)| *name == format).unwrap();
            right.iter().for_each(|text| assert!(check(text), "{format} {text:?}"));
            wrong.iter().for_each(|text| assert!(!check(text), "{format} {text:?}"));
        }
    }
}
