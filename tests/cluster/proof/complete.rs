//! Objects of examples, made whole: examples state what matters, and an API server insists on the rest.

use serde_json::{Map, Value, json};

/// Adds what the API server requires and the object does not say: nothing that is stated is changed.
pub fn complete(object: &mut Value) {
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    match kind.as_str() {
        "Pod" => pod(member(object, "spec")),
        "PodTemplate" => template(member(object, "template"), None),
        "ReplicationController" => {
            let spec = member(object, "spec");
            let labels = labels(spec, "/selector", "/template/metadata/labels");
            fill(spec, "selector", &labels);
            template(member(spec, "template"), Some(&labels));
        }
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => workload(member(object, "spec")),
        "Job" => job(member(object, "spec")),
        "CronJob" => {
            let spec = member(object, "spec");
            fill(spec, "schedule", &json!("0 4 * * *"));
            job(member(member(spec, "jobTemplate"), "spec"));
        }
        "Service" => service(member(object, "spec")),
        "Ingress" => ingress(member(object, "spec")),
        "NetworkPolicy" => {
            fill(member(object, "spec"), "podSelector", &json!({}));
        }
        "HorizontalPodAutoscaler" => {
            let spec = member(object, "spec");
            fill(spec, "maxReplicas", &json!(1));
            let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
            fill(spec, "scaleTargetRef", &target);
        }
        "RoleBinding" | "ClusterRoleBinding" => {
            let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"});
            fill(object, "roleRef", &role);
        }
        "CustomResourceDefinition" => definition(object),
        "APIService" => {
            let (version, group) = name(object).split_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
            let spec = json!({"version": version, "group": group, "groupPriorityMinimum": 1000, "versionPriority": 10});
            fill(object, "spec", &spec);
        }
        _ => {}
    }
}

/// A definition of what its name says: `widgets.example.com`.
fn definition(object: &mut Value) {
    let (plural, group) = name(object).split_once('.').unwrap();
    let spec = json!({
        "group": group,
        "scope": "Namespaced",
        "names": {"plural": plural, "kind": plural.to_uppercase()},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}],
    });
    fill(object, "spec", &spec);
}

fn name(object: &Value) -> &str {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

fn workload(spec: &mut Value) {
    items(spec, "volumeClaimTemplates").iter_mut().for_each(claim);
    let labels = labels(spec, "/selector/matchLabels", "/template/metadata/labels");
    fill(spec, "selector", &json!({"matchLabels": labels}));
    template(member(spec, "template"), Some(&labels));
}

fn job(spec: &mut Value) {
    let template = member(spec, "template");
    fill(member(template, "spec"), "restartPolicy", &json!("Never"));
    self::template(template, None);
}

/// The labels that a selector asks for, or else those that its pods have.
fn labels(spec: &Value, selector: &str, pods: &str) -> Value {
    let found = spec.pointer(selector).or_else(|| spec.pointer(pods)).filter(|labels| labels.is_object());
    found.cloned().unwrap_or_else(|| json!({"app": "web"}))
}

fn template(template: &mut Value, labels: Option<&Value>) {
    if let Some(labels) = labels {
        fill(member(template, "metadata"), "labels", labels);
    }
    pod(member(template, "spec"));
}

fn pod(spec: &mut Value) {
    fill(spec, "containers", &json!([{}]));
    let mut mounted = Vec::new();
    for key in ["initContainers", "containers"] {
        for (index, container) in items(spec, key).iter_mut().enumerate() {
            fill(container, "name", &json!(format!("{}-{index}", key.to_lowercase())));
            fill(container, "image", &json!("registry.example.com/web:1"));
            let mounts = container["volumeMounts"].as_array().into_iter().flatten();
            mounted.extend(mounts.filter_map(|mount| mount["name"].as_str().map(str::to_owned)));
            for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
                if let Some(probe) = container.get_mut(probe).and_then(Value::as_object_mut) {
                    let handlers = ["httpGet", "tcpSocket", "exec", "grpc"];
                    if !handlers.iter().any(|handler| probe.contains_key(*handler)) {
                        probe.insert("tcpSocket".into(), json!({"port": 80}));
                    }
                }
            }
        }
    }
    let volumes = items(spec, "volumes");
    for volume in volumes.iter_mut().filter_map(|volume| volume.pointer_mut("/ephemeral/volumeClaimTemplate")) {
        claim(volume);
    }
    let known: Vec<String> = volumes.iter().filter_map(|volume| volume["name"].as_str().map(str::to_owned)).collect();
    mounted.retain(|name| !known.contains(name));
    mounted.sort_unstable();
    mounted.dedup();
    if !mounted.is_empty() {
        let added = mounted.into_iter().map(|name| json!({"name": name, "emptyDir": {}}));
        match spec.get_mut("volumes").and_then(Value::as_array_mut) {
            Some(volumes) => volumes.extend(added),
            None => spec["volumes"] = added.collect(),
        }
    }
}

fn claim(claim: &mut Value) {
    let spec = member(claim, "spec");
    fill(spec, "accessModes", &json!(["ReadWriteOnce"]));
    fill(spec, "resources", &json!({"requests": {"storage": "1Gi"}}));
}

fn service(spec: &mut Value) {
    if spec["type"] == "ExternalName" {
        return fill(spec, "externalName", &json!("web.example.com"));
    }
    fill(spec, "ports", &json!([{"port": 80}]));
}

fn ingress(spec: &mut Value) {
    let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
    if spec.get("rules").is_none() {
        fill(spec, "defaultBackend", &backend);
    }
    for rule in items(spec, "rules") {
        let Some(http) = rule.get_mut("http") else { continue };
        for path in items(http, "paths") {
            fill(path, "pathType", &json!("Prefix"));
            fill(path, "path", &json!("/"));
            fill(path, "backend", &backend);
        }
    }
}

/// A field that is an object, made where it is missing.
fn member<'v>(object: &'v mut Value, key: &str) -> &'v mut Value {
    match object {
        Value::Object(map) => map.entry(key).or_insert_with(|| Map::new().into()),
        other => other,
    }
}

fn fill(object: &mut Value, key: &str, value: &Value) {
    if let Some(map) = object.as_object_mut() {
        map.entry(key).or_insert_with(|| value.clone());
    }
}

fn items<'v>(object: &'v mut Value, key: &str) -> &'v mut [Value] {
    object.get_mut(key).and_then(Value::as_array_mut).map(Vec::as_mut_slice).unwrap_or_default()
}
