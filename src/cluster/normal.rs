//! An object without what only the server says of it: what is left differs if somebody changes something.

use crate::value::{Map, Value};

/// Where kubectl keeps what was applied by the client; whoever applies on the server does not keep it up.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Fields of the metadata that the server sets at every write, or once and for all.
const OF_SERVER: [&str; 6] = ["creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];

/// An object that is live, or would be stored, as both are compared: without its `status` and the metadata of the server.
pub fn normal(object: &Value) -> Value {
    let Some(fields) = object.as_map() else { return object.clone() };
    let mut fields = fields.clone();
    fields.remove("status");
    if let Some(metadata) = fields.get("metadata").and_then(Value::as_map) {
        fields.insert("metadata", without_server(metadata).into());
    }
    fields.into()
}

fn without_server(metadata: &Map) -> Map {
    let mut metadata = metadata.clone();
    for field in OF_SERVER {
        metadata.remove(field);
    }
    if let Some(annotations) = metadata.get("annotations").and_then(Value::as_map) {
        let mut annotations = annotations.clone();
        if annotations.remove(LAST_APPLIED).is_some() && annotations.is_empty() {
            metadata.remove("annotations");
        } else {
            metadata.insert("annotations", annotations.into());
        }
    }
    metadata
}
