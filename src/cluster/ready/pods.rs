//! The Pods of an object.

use std::collections::BTreeSet;

use super::fields::text;
use crate::cluster::{Api, Error};
use crate::value::Value;

/// The Pods of an object, and what stands between.
#[derive(Debug, Default)]
pub(super) struct Pods {
    /// Those that are not being deleted.
    pub pods: Vec<Value>,
    /// The ReplicaSets of a Deployment.
    pub between: Vec<Value>,
}

/// Finds the Pods that an object owns; none of a kind that runs none.
///
/// # Errors
/// They cannot be listed.
pub(super) async fn of(api: &Api, object: &Value) -> Result<Pods, Error> {
    if text(object, ["kind"]) == "Pod" {
        return Ok(Pods { pods: vec![object.clone()], between: Vec::new() });
    }
    let Some(labels) = object.at(["spec", "selector"]).and_then(selector) else { return Ok(Pods::default()) };
    let mut owners = BTreeSet::from([text(object, ["metadata", "uid"]).to_owned()]);
    let between = match text(object, ["kind"]) {
        "Deployment" => owned(api, "apps/v1", "ReplicaSet", object, &labels, &owners).await?,
        _ => Vec::new(),
    };
    owners.extend(between.iter().map(|set| text(set, ["metadata", "uid"]).to_owned()));
    let mut pods = owned(api, "v1", "Pod", object, &labels, &owners).await?;
    pods.retain(|pod| pod.at(["metadata", "deletionTimestamp"]).is_none());
    Ok(Pods { pods, between })
}

/// The objects of a kind beside an object that have some labels and one of these owners.
async fn owned(
    api: &Api,
    api_version: &str,
    kind: &str,
    object: &Value,
    labels: &str,
    owners: &BTreeSet<String>,
) -> Result<Vec<Value>, Error> {
    let resources = api.resources();
    let Some(resource) = resources.of(api_version, kind) else { return Ok(Vec::new()) };
    let namespace = text(object, ["metadata", "namespace"]);
    let mut found = api.list(resource, Some(namespace), labels).await?;
    found.retain(|one| {
        let references = one.at(["metadata", "ownerReferences"]).and_then(Value::as_list).unwrap_or_default();
        references.iter().any(|owner| owners.contains(text(owner, ["uid"])))
    });
    Ok(found)
}

/// A label selector as a query has it; `None` where it selects nothing.
fn selector(selector: &Value) -> Option<String> {
    let mut parts = Vec::new();
    let expressions = selector.get("matchExpressions").and_then(Value::as_list).unwrap_or_default();
    // That of a ReplicationController is the labels themselves.
    let has_parts = selector.get("matchLabels").is_some() || !expressions.is_empty();
    let labels = if has_parts { selector.get("matchLabels") } else { Some(selector) };
    for (key, value) in labels.and_then(Value::as_map).into_iter().flat_map(|labels| labels.iter()) {
        parts.push(format!("{key}={}", value.as_str()?));
    }
    for expression in expressions {
        let key = text(expression, ["key"]);
        let values = expression.get("values").and_then(Value::as_list).unwrap_or_default();
        let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        parts.push(match text(expression, ["operator"]) {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => return None,
        });
    }
    (!parts.is_empty()).then(|| parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use crate::value::Numbers;

    #[test]
    fn selectors_become_queries() {
        let query = |text: &str| selector(&json::parse(text, Numbers::Exact).unwrap());
        assert_eq!(query(r#"{"app": "web", "tier": "front"}"#).unwrap(), "app=web,tier=front");
        assert_eq!(query(r#"{"matchLabels": {"app": "web"}}"#).unwrap(), "app=web");
        let expressions = r#"{"matchLabels": {"app": "web"}, "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "old", "operator": "DoesNotExist"},
            {"key": "zone", "operator": "NotIn", "values": ["c"]}, {"key": "new", "operator": "Exists"}]}"#;
        assert_eq!(query(expressions).unwrap(), "app=web,tier in (a,b),!old,zone notin (c),new");
        assert_eq!(query(r#"{"matchExpressions": [{"key": "a", "operator": "Like"}]}"#), None);
        assert_eq!(query("{}"), None);
    }
}
