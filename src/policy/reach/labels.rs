//! Label selectors, as ClusterRoles, NetworkPolicies and the like have them.

use std::fmt;

use super::Error;
use super::field::At;
use crate::value::Value;

/// A label selector. The empty one selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Labels<'a> {
    /// The labels that there must be.
    pub wanted: Vec<(&'a str, &'a str)>,
    requirements: Vec<(&'a str, &'a str, Vec<&'a str>)>,
}

impl<'a> Labels<'a> {
    pub(crate) fn read(selector: &At<'_, 'a>) -> Result<Self, Error> {
        let mut read = Self::default();
        let labels = selector.get("matchLabels")?;
        for key in labels.keys()? {
            read.wanted.push((key, labels.text_of(key)?));
        }
        for at in selector.items("matchExpressions")? {
            read.requirements.push((at.text_of("key")?, at.text_of("operator")?, at.texts("values")?));
        }
        Ok(read)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.wanted.is_empty() && self.requirements.is_empty()
    }

    /// Whether it selects what has these labels.
    pub(crate) fn select(&self, labels: Option<&Value>) -> bool {
        let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
        self.wanted.iter().all(|(key, value)| label(key) == Some(value))
            && self.requirements.iter().all(|(key, operator, values)| match *operator {
                "In" => label(key).is_some_and(|given| values.contains(&given)),
                "NotIn" => label(key).is_none_or(|given| !values.contains(&given)),
                "Exists" => label(key).is_some(),
                "DoesNotExist" => label(key).is_none(),
                _ => false,
            })
    }
}

/// `app=web, tier in (front, back)`, as kubectl writes it.
impl fmt::Display for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = self.wanted.iter().map(|(key, value)| format!("{key}={value}"));
        let requirements = self.requirements.iter().map(|(key, operator, values)| match *operator {
            "In" => format!("{key} in ({})", values.join(", ")),
            "NotIn" => format!("{key} notin ({})", values.join(", ")),
            "Exists" => (*key).to_owned(),
            "DoesNotExist" => format!("!{key}"),
            other => format!("{key} {other}"),
        });
        f.write_str(&labels.chain(requirements).collect::<Vec<_>>().join(", "))
    }
}
