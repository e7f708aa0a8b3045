//! Go's runes: decoding that keeps invalid bytes apart, and the package `unicode`'s classes and one-to-one cases.

use unicode_general_category::{GeneralCategory as Category, get_general_category};

/// The characters of a Go string with their widths; every byte that is not UTF-8 counts as U+FFFD of width 1.
pub(super) fn runes(bytes: &[u8]) -> impl Iterator<Item = (char, usize)> + '_ {
    bytes.utf8_chunks().flat_map(|chunk| {
        let invalid = chunk.invalid().iter().map(|_| (char::REPLACEMENT_CHARACTER, 1));
        chunk.valid().chars().map(|c| (c, c.len_utf8())).chain(invalid)
    })
}

/// `utf8.DecodeRuneInString`: the first character and its width, (U+FFFD, 0) of nothing.
pub(super) fn first(bytes: &[u8]) -> (char, usize) {
    // The longest character has four bytes: looking further would make walking a text quadratic.
    runes(bytes.get(..4).unwrap_or(bytes)).next().unwrap_or((char::REPLACEMENT_CHARACTER, 0))
}

/// `strings.Map`: invalid bytes become U+FFFD.
pub(super) fn map(bytes: &[u8], change: impl Fn(char) -> char) -> String {
    runes(bytes).map(|(rune, _)| change(rune)).collect()
}

/// `unicode.IsLetter`
pub(super) fn is_letter(c: char) -> bool {
    use Category::*;
    matches!(
        get_general_category(c),
        UppercaseLetter | LowercaseLetter | TitlecaseLetter | ModifierLetter | OtherLetter
    )
}

/// `unicode.IsUpper`
pub(super) fn is_upper(c: char) -> bool {
    get_general_category(c) == Category::UppercaseLetter
}

/// `unicode.IsLower`
pub(super) fn is_lower(c: char) -> bool {
    get_general_category(c) == Category::LowercaseLetter
}

/// `unicode.IsTitle`
pub(super) fn is_title(c: char) -> bool {
    get_general_category(c) == Category::TitlecaseLetter
}

/// `unicode.IsDigit`
pub(super) fn is_digit(c: char) -> bool {
    get_general_category(c) == Category::DecimalNumber
}

/// `unicode.IsNumber`
pub(super) fn is_number(c: char) -> bool {
    use Category::*;
    matches!(get_general_category(c), DecimalNumber | LetterNumber | OtherNumber)
}

/// `unicode.IsPunct`
pub(super) fn is_punct(c: char) -> bool {
    use Category::*;
    matches!(
        get_general_category(c),
        ConnectorPunctuation
            | DashPunctuation
            | OpenPunctuation
            | ClosePunctuation
            | InitialPunctuation
            | FinalPunctuation
            | OtherPunctuation
    )
}

/// `unicode.IsSpace`
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace()
}

/// `unicode.ToUpper`: one character for one, so `ß` stays.
pub(super) fn to_upper(c: char) -> char {
    match c {
        // Their full mapping adds an iota; the simple one is the titlecase letter.
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => shift(c, 8),
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => shift(c, 9),
        _ => single(c, c.to_uppercase()),
    }
}

/// `unicode.ToLower`
pub(super) fn to_lower(c: char) -> char {
    match c {
        'İ' => 'i',
        _ => single(c, c.to_lowercase()),
    }
}

/// `unicode.ToTitle`
pub(super) fn to_title(c: char) -> char {
    match c {
        'Ǆ' | 'ǅ' | 'ǆ' => 'ǅ',
        'Ǉ' | 'ǈ' | 'ǉ' => 'ǈ',
        'Ǌ' | 'ǋ' | 'ǌ' => 'ǋ',
        'Ǳ' | 'ǲ' | 'ǳ' => 'ǲ',
        // Georgian has no titlecase.
        '\u{10d0}'..='\u{10fa}' | '\u{10fd}'..='\u{10ff}' => c,
        _ => to_upper(c),
    }
}

fn shift(c: char, by: u32) -> char {
    char::from_u32(c as u32 + by).unwrap_or(c)
}

fn single(c: char, mut mapped: impl ExactSizeIterator<Item = char>) -> char {
    if mapped.len() == 1 { mapped.next().unwrap_or(c) } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_invalid_byte_is_one_rune() {
        let runes: Vec<_> = runes(b"a\xe2\x98\xff\xe2\x98\x83").collect();
        assert_eq!(runes, [('a', 1), ('\u{fffd}', 1), ('\u{fffd}', 1), ('\u{fffd}', 1), ('☃', 3)]);
        assert_eq!(first(b""), ('\u{fffd}', 0));
        assert_eq!(first("☃☃".as_bytes()), ('☃', 3));
    }

    #[test]
    fn cases_map_one_to_one() {
        assert_eq!(map("ßǆᾳ".as_bytes(), to_upper), "ßǄᾼ");
        assert_eq!(map("İΣ".as_bytes(), to_lower), "iσ");
        assert_eq!(to_title('ǆ'), 'ǅ');
    }
}
