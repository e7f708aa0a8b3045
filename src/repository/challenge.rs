//! What a registry wants to see before it answers: the header `WWW-Authenticate`.
//!
//! Source: RFC 9110, section 11.6.1, and the Distribution project's `docs/spec/auth/token.md`.

/// A way in that the registry offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A name and password with each request.
    Basic,
    /// A token, which another address gives out.
    Bearer {
        /// The address.
        realm: String,
        /// The registry, as that address knows it.
        service: Option<String>,
        /// What the token must allow.
        scope: Option<String>,
    },
}

/// Reads the values of all `WWW-Authenticate` headers; `Bearer` comes before `Basic`, other ways are left out.
pub(super) fn parse<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let all: Vec<Challenge> = headers.flat_map(challenges).collect();
    let bearer = all.iter().position(|challenge| matches!(challenge, Challenge::Bearer { .. }));
    all.into_iter().nth(bearer.unwrap_or(0))
}

fn challenges(header: &str) -> Vec<Challenge> {
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = token(rest);
        if word.is_empty() {
            break;
        }
        let spaced = after.trim_start_matches([' ', '\t']);
        match spaced.strip_prefix('=') {
            Some(value) => {
                let (value, after) = parameter(value.trim_start_matches([' ', '\t']));
                if let Some((_, parameters)) = found.last_mut() {
                    parameters.push((word.to_ascii_lowercase(), value));
                }
                rest = after;
            }
            None => {
                found.push((word.to_ascii_lowercase(), Vec::new()));
                rest = after;
            }
        }
    }
    found.into_iter().filter_map(|(scheme, parameters)| challenge(&scheme, parameters)).collect()
}

fn challenge(scheme: &str, parameters: Vec<(String, String)>) -> Option<Challenge> {
    let values = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    match scheme {
        "basic" => Some(Challenge::Basic),
        "bearer" => {
            Some(Challenge::Bearer { realm: values("realm")?, service: values("service"), scope: values("scope") })
        }
        _ => None,
    }
}

/// The word with which a text begins, and what follows.
fn token(text: &str) -> (&str, &str) {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~/".contains(c);
    text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()))
}

/// A quoted or bare value, and what follows.
fn parameter(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (word, rest) = token(text);
        return (word.to_string(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            character => value.push(character),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let bearer = |realm: &str, service: Option<&str>, scope: Option<&str>| {
            Some(Challenge::Bearer {
                realm: realm.into(),
                service: service.map(Into::into),
                scope: scope.map(Into::into),
            })
        };
        for (headers, challenge) in [
            (vec![r#"Basic realm="r""#], Some(Challenge::Basic)),
            (vec!["basic"], Some(Challenge::Basic)),
            (
                vec![
                    r#"Bearer realm="https://auth.example.com/token",service="r.example.com",scope="repository:a/b:pull,push""#,
                ],
                bearer("https://auth.example.com/token", Some("r.example.com"), Some("repository:a/b:pull,push")),
            ),
            (vec![r#"Basic realm="r", Bearer realm = "a\"b" , error="invalid_token""#], bearer("a\"b", None, None)),
            (vec!["Basic", "bearer realm=x"], bearer("x", None, None)),
            (vec!["Negotiate"], None),
            (vec!["Bearer"], None),
            (vec![r#"Bearer realm="open"#], bearer("open", None, None)),
            (vec!["=x", ",,", "\"", "é"], None),
            (vec![], None),
        ] {
            assert_eq!(parse(headers.iter().copied()), challenge, "{headers:?}");
        }
    }

    #[test]
    fn torn_challenges_do_no_harm() {
        let header =
            r#"Basic realm="r", Bearer realm="https://é.example.com/\"token",scope = x, error="invalid_token""#;
        for (end, _) in header.char_indices() {
            let (before, after) = header.split_at(end);
            // Whatever is found: only a panic would be wrong.
            let _ = (parse([before].into_iter()), parse([after].into_iter()));
        }
    }
}
