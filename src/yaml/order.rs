//! The order in which go-yaml writes the keys of a mapping.

use std::cmp::Ordering;
use std::sync::OnceLock;

use regex::Regex;

use super::style::Dialect;

/// Sorts entries by their keys.
///
/// go-yaml's order has cycles (`a10` < `a1b` < `a2` < `a10`), and what Go makes of them depends on chance. Here it
/// depends on the given order alone. The standard library's sort may panic on such an order.
pub(super) fn sort<T: Copy>(entries: &mut [T], key: impl Fn(&T) -> &str, dialect: Dialect) {
    let less = |a: &T, b: &T| compare(key(a), key(b), dialect) == Ordering::Less;
    if !entries.is_sorted_by(|a, b| !less(b, a)) {
        merge_sort(entries, &less);
    }
}

fn merge_sort<T: Copy>(entries: &mut [T], less: &impl Fn(&T, &T) -> bool) {
    let middle = entries.len() / 2;
    if middle == 0 {
        return;
    }
    let (left, right) = entries.split_at_mut(middle);
    merge_sort(left, less);
    merge_sort(right, less);
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while let Some(next) = right.next_if(|b| left.peek().is_none_or(|a| less(b, a))).or_else(|| left.next()) {
        merged.push(*next);
    }
    entries.copy_from_slice(&merged);
}

/// `keyList.Less` of go-yaml's `sorter.go`: digits by their number, other characters before letters.
fn compare(a: &str, b: &str, dialect: Dialect) -> Ordering {
    let common = a.char_indices().zip(b.chars()).find(|((_, a), b)| a != b);
    let Some(((at, x), y)) = common else { return a.len().cmp(&b.len()) };
    let (before, rest_a) = a.split_at(at);
    let rest_b = b.get(at..).unwrap_or_default();
    match (is_letter(x), is_letter(y)) {
        (true, true) => return x.cmp(&y),
        (false, false) => {}
        // v3 lets a number end before it goes on: `a1b` < `a10`.
        (x, _) => {
            return if x == (dialect == Dialect::V3 && before.ends_with(is_digit)) {
                Ordering::Less
            } else {
                Ordering::Greater
            };
        }
    }
    // A zero counts for more inside of a number than in front of it.
    let inside = (x == '0' || y == '0') && before.chars().rev().take_while(|c| is_digit(*c)).any(|c| c != '0');
    let (number_a, length_a) = leading_number(rest_a, inside);
    let (number_b, length_b) = leading_number(rest_b, inside);
    number_a.cmp(&number_b).then(length_a.cmp(&length_b)).then(x.cmp(&y))
}

/// The number at the start of a text, and how many characters it has. Overflows wrap, as in Go.
fn leading_number(text: &str, inside: bool) -> (i64, usize) {
    text.chars().take_while(|c| is_digit(*c)).fold((i64::from(inside), 0), |(number, length), c| {
        (number.wrapping_mul(10).wrapping_add(i64::from(u32::from(c)) - i64::from(b'0')), length + 1)
    })
}

/// `unicode.IsLetter`.
fn is_letter(c: char) -> bool {
    static LETTER: OnceLock<Option<Regex>> = OnceLock::new();
    if c.is_ascii() { c.is_ascii_alphabetic() } else { is_in(&LETTER, r"^\p{L}$", c) }
}

/// `unicode.IsDigit`.
fn is_digit(c: char) -> bool {
    static DIGIT: OnceLock<Option<Regex>> = OnceLock::new();
    if c.is_ascii() { c.is_ascii_digit() } else { is_in(&DIGIT, r"^\p{Nd}$", c) }
}

fn is_in(class: &OnceLock<Option<Regex>>, pattern: &str, c: char) -> bool {
    let class = class.get_or_init(|| Regex::new(pattern).ok());
    class.as_ref().is_some_and(|class| class.is_match(c.encode_utf8(&mut [0; 4])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_as_go_yaml_sorts_them() {
        let sorted = |keys: &[&'static str], dialect| {
            let mut keys = keys.to_vec();
            sort(&mut keys, |key| key, dialect);
            keys
        };
        assert_eq!(sorted(&["b", "a10", "a2", "A", "_", "a"], Dialect::V2), ["_", "A", "a", "a2", "a10", "b"]);
        assert_eq!(sorted(&["a1b", "a10"], Dialect::V2), ["a10", "a1b"]);
        assert_eq!(sorted(&["a10", "a1b"], Dialect::V3), ["a1b", "a10"]);
        assert_eq!(sorted(&["1.10", "1.9", "1.09"], Dialect::V2), ["1.9", "1.09", "1.10"]);
    }
}
