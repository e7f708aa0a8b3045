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

    /// Whether the labels of an object meet all requirements.
    pub fn selects(&self, object: &Value) -> bool {
        let labels = object.at(["metadata", "labels"]);
        let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
        self.labels.iter().all(|(key, value)| label(key) == Some(value))
            && self.expressions.iter().all(|requirement| {
                let found = label(&requirement.key);
                let among = found.is_some_and(|found| requirement.values.iter().any(|value| value == found));
                match requirement.operator {
                    Operator::In => among,
                    Operator::NotIn => !among,
                    Operator::Exists => found.is_some(),
                    Operator::DoesNotExist => found.is_none(),
                }
            })
    }
}

impl Requirement {
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
