//! What somebody may have meant who named what there is not.

/// Longer words than this are no typing errors.
const MAX_LENGTH: usize = 100;

/// The known word that a wrong one is most like; `None` where none is like it.
pub fn nearest<'k>(wrong: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if wrong.len() > MAX_LENGTH {
        return None;
    }
    // A third of the letters may be wrong: further away are other words.
    let allowed = (wrong.chars().count() / 3).max(1);
    let distance = |word: &str| strsim::osa_distance(&wrong.to_lowercase(), &word.to_lowercase());
    let close = known.into_iter().map(|word| (distance(word), word)).filter(|(distance, _)| *distance <= allowed);
    close.min_by_key(|(distance, _)| *distance).map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_understood_and_other_words_are_not() {
        let known = ["profiles", "include", "exclude", "severity"];
        assert_eq!(nearest("profils", known), Some("profiles"));
        assert_eq!(nearest("inclued", known), Some("include"));
        assert_eq!(nearest("Severity", known), Some("severity"));
        assert_eq!(nearest("releases", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest(&"x".repeat(1 << 20), known), None);
    }
}
