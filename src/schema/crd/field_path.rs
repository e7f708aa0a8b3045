//! `fieldPath` of a rule: the field that it blames, below the one that it judges.
//!
//! Source: `ValidFieldPath` in apiextensions-apiserver's `pkg/apiserver/schema/cel/validation.go`.

use super::schema::{Additional, Schema};
use crate::value::{Path, Step};

/// Reads `.spec.ports` and `.labels['a.b/c']`; the error is a sentence.
pub(super) fn read(text: &str, schema: &Schema) -> Result<Path, String> {
    let mut steps = Vec::new();
    let mut schema = Some(schema);
    let mut rest = text;
    while !rest.is_empty() {
        let (name, after) = step(rest)?;
        let of_field = schema.and_then(|schema| match &schema.additional {
            _ if !schema.properties.is_empty() => schema.properties.get(&*name).map(Some),
            Some(Additional::Each(each)) => Some(Some(&**each)),
            Some(Additional::Any(_)) => Some(None),
            None => None,
        });
        schema = of_field.ok_or_else(|| format!("{name:?} is no field here"))?;
        steps.push(Step::Key(name.into()));
        rest = after;
    }
    Ok(Path(steps))
}

/// One step, and what comes after it.
fn step(text: &str) -> Result<(String, &str), String> {
    let unexpected = || format!("expected `.name` or `['name']` at {text:?}");
    if let Some(quoted) = text.strip_prefix("['") {
        let mut name = String::new();
        let mut chars = quoted.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\'' => {
                    let after = quoted.get(at + 1..).and_then(|rest| rest.strip_prefix(']'));
                    return after.map(|after| (name, after)).ok_or_else(unexpected);
                }
                '\\' => name.push(match chars.next().map(|(_, c)| c) {
                    Some('a') => '\u{7}',
                    Some('b') => '\u{8}',
                    Some('f') => '\u{c}',
                    Some('n') => '\n',
                    Some('r') => '\r',
                    Some('t') => '\t',
                    Some('v') => '\u{b}',
                    Some(c @ ('\'' | '\\')) => c,
                    _ => return Err(format!("there is no such escape in {text:?}")),
                }),
                c => name.push(c),
            }
        }
        return Err(unexpected());
    }
    let name = text.strip_prefix('.').ok_or_else(unexpected)?;
    let end = name.find(['.', '[', ']']).unwrap_or(name.len());
    let (name, after) = name.split_at(end);
    if name.is_empty() { Err(unexpected()) } else { Ok((name.to_owned(), after)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::crd::trail::Trail;
    use crate::yaml;

    #[test]
    fn paths_lead_to_fields_that_the_schema_knows() {
        let schema = yaml::parse(
            "{type: object, properties: {
                spec: {type: object, properties: {ports: {type: array, items: {type: string}}}},
                labels: {type: object, additionalProperties: {type: string}}}}",
            yaml::Options::default(),
        );
        let schema = Schema::read(&schema.unwrap(), &Trail::Root(&Path::default())).unwrap();
        for (text, expected) in [
            (".spec.ports", Ok("spec.ports")),
            (".labels['a.b/c']", Ok("labels[\"a.b/c\"]")),
            (r".labels['it\'s']", Ok("labels[\"it's\"]")),
            ("['spec'].ports", Ok("spec.ports")),
            (".spec.prots", Err("\"prots\" is no field here")),
            (".spec.ports[0]", Err("expected `.name` or `['name']` at \"[0]\"")),
            ("spec", Err("expected `.name` or `['name']` at \"spec\"")),
            (".spec.", Err("expected `.name` or `['name']` at \".\"")),
            (".labels['a", Err("expected `.name` or `['name']` at \"['a\"")),
            (r".labels['\x']", Err("there is no such escape in \"['\\\\x']\"")),
        ] {
            let found = read(text, &schema).map(|path| path.to_string());
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
        }
    }
}
