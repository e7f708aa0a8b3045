//! Label selectors.

use super::Error;
use super::decode::Node;
use crate::value::Value;

/// A label selector. The empty one selects everything.
#[derive(Debug, Clone, Default)]
pub struct Selector {
    labels: Vec<(String, String)>,
    expressions: Vec<Requirement>,
}

#[derive(Debug, Clone)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl Selector {
    /// Reads the selector of a key; one that is missing selects everything.
    pub fn read_from(parent: &Node<'_>, key: &str) -> Result<Self, Error> {
        let Some(node) = parent.get(key) else { return Ok(Self::default()) };
        node.only(&["matchLabels", "matchExpressions"])?;
        let expressions = node.list_of("matchExpressions")?;
        Ok(Self {
            labels: node.pairs_of("matchLabels")?,
            expressions: expressions.iter().map(Requirement::read).collect::<Result<_, _>>()?,
        })
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.expressions.is_empty()
    }

    /// Whether the labels of an object meet all requirements.
    pub fn selects(&self, object: &Value) -> bool {
        let label = |key: &str| label(object, key);
        self.labels.iter().all(|(key, value)| label(key) == Some(value))
            && self.expressions.iter().all(|requirement| requirement.is_met(label(&requirement.key)))
    }

    /// The same of an object that may have more labels than are known of it; `None` where it turns on those.
    pub fn may_select(&self, object: &Value) -> Option<bool> {
        let of_labels = self.labels.iter().map(|(key, value)| label(object, key).map(|found| found == value));
        let of_expressions = self.expressions.iter().map(|requirement| {
            let found = label(object, &requirement.key);
            found.map(|found| requirement.is_met(Some(found)))
        });
        let met: Vec<Option<bool>> = of_labels.chain(of_expressions).collect();
        if met.contains(&Some(false)) { Some(false) } else { (!met.contains(&None)).then_some(true) }
    }
}

/// A label of an object.
fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.at(["metadata", "labels", key]).and_then(Value::as_str)
}

impl Requirement {
    /// Whether the value of its key, or that there is none, is what it asks for.
    fn is_met(&self, found: Option<&str>) -> bool {
        let among = found.is_some_and(|found| self.values.iter().any(|value| value == found));
        match self.operator {
            Operator::In => among,
            Operator::NotIn => !among,
            Operator::Exists => found.is_some(),
            Operator::DoesNotExist => found.is_none(),
        }
    }

    fn read(node: &Node<'_>) -> Result<Self, Error> {
        node.only(&["key", "operator", "values"])?;
        let values = node.texts_of("values")?;
        let operator = match node.need("operator")?.is_one_of(&["In", "NotIn", "Exists", "DoesNotExist"])? {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            _ => Operator::DoesNotExist,
        };
        match (operator, values.is_empty()) {
            (Operator::In | Operator::NotIn, true) => Err(node.error("In and NotIn need values")),
            (Operator::Exists | Operator::DoesNotExist, false) => {
                Err(node.need("values")?.error("Exists and DoesNotExist have no values"))
            }
            _ => Ok(Self { key: node.need("key")?.text()?.to_owned(), operator, values }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::decode::Document;
    use crate::source::{SourceFile, Span};
    use crate::{json, value::Numbers};

    fn may_select(selector: &str) -> Option<bool> {
        let text = format!("{{\"s\": {selector}}}");
        let document = Document::of_json(&SourceFile::new("s", &*text), Span::default(), &text).unwrap();
        let object = r#"{"metadata": {"labels": {"name": "shop"}}}"#;
        let object = json::parse(object, Numbers::default()).unwrap();
        Selector::read_from(&document.root(), "s").unwrap().may_select(&object)
    }

    #[test]
    fn labels_that_are_not_known_decide_nothing() {
        let cases = [
            ("{}", Some(true)),
            (r#"{"matchLabels": {"name": "shop"}}"#, Some(true)),
            (r#"{"matchLabels": {"name": "other"}}"#, Some(false)),
            (r#"{"matchLabels": {"name": "shop", "stage": "test"}}"#, None),
            (r#"{"matchLabels": {"name": "other", "stage": "test"}}"#, Some(false)),
            (r#"{"matchExpressions": [{"key": "name", "operator": "NotIn", "values": ["shop"]}]}"#, Some(false)),
            (r#"{"matchExpressions": [{"key": "name", "operator": "Exists"}]}"#, Some(true)),
            (r#"{"matchExpressions": [{"key": "stage", "operator": "DoesNotExist"}]}"#, None),
            (r#"{"matchExpressions": [{"key": "stage", "operator": "NotIn", "values": ["test"]}]}"#, None),
        ];
        for (selector, wanted) in cases {
            assert_eq!(may_select(selector), wanted, "{selector}");
        }
    }
}
