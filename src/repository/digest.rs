//! SHA-256, as indexes, registries and lock files write it.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A SHA-256 digest. Prints as `sha256:` and 64 lower-case digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// That of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Whether a text is this digest, with or without `sha256:`.
    pub(super) fn is(&self, text: &str) -> bool {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        self.to_string().trim_start_matches("sha256:").eq_ignore_ascii_case(digits)
    }

    /// Whether a text is `sha256:` and 64 digits.
    pub(super) fn is_well_formed(text: &str) -> bool {
        let digits = text.strip_prefix("sha256:").unwrap_or_default();
        digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_compared_whatever_their_form() {
        let digits = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let empty = Digest::of(b"");
        assert_eq!(empty.to_string(), format!("sha256:{digits}"));
        assert!(empty.is(digits) && empty.is(&digits.to_uppercase()) && empty.is(&format!("sha256:{digits}")));
        assert!(!empty.is("") && !empty.is("sha256:") && !Digest::of(b"x").is(digits));
        assert!(Digest::is_well_formed(&empty.to_string()));
        for text in ["", digits, "sha256:..", &format!("sha512:{digits}")] {
            assert!(!Digest::is_well_formed(text), "{text}");
        }
    }
}
