use std::fs;
use std::path::Path;

use serde_json::json;

use super::*;

/// Writes files into a new folder.
pub fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

const NOW: Minor = Minor(34);

fn files(text: &str, from: &Path) -> SchemaFiles {
    match SchemaLocation::parse(text, from) {
        Ok(SchemaLocation::Files(files)) => files,
        other => panic!("{text}: {other:?}"),
    }
}

/// What becomes of a location with one file that says `text`.
fn found(files_there: &[(&str, &str)]) -> Result<Option<Json>, String> {
    let dir = folder(files_there);
    let found = files("{{ .ResourceKind }}.json", dir.path()).find("Web", "example.com/v1", NOW);
    let plain = |error: Error| error.to_string().replace(&dir.path().display().to_string(), "DIR");
    Ok(found.map_err(plain)?.map(|found| found.schema))
}

/// The paths of kubeconform's own tests (`registry_test.go`), and those of its documentation.
#[test]
fn paths_are_those_of_kubeconform() {
    let layout =
        "{{ .NormalizedKubernetesVersion }}-standalone{{ .StrictSuffix }}/{{ .ResourceKind }}{{ .KindSuffix }}.json";
    let crds = "{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json";
    for (text, kind, api_version, version, wanted) in [
        (layout, "Deployment", "apps/v1", 16, "v1.16.0-standalone-strict/deployment-apps-v1.json"),
        (layout, "Service", "v1", 18, "v1.18.0-standalone-strict/service-v1.json"),
        (layout, "Ingress", "networking.k8s.io/v1", 34, "v1.34.0-standalone-strict/ingress-networking-v1.json"),
        ("here", "Service", "v1", 34, "here/v1.34.0-standalone-strict/service-v1.json"),
        (crds, "Certificate", "cert-manager.io/v1", 34, "cert-manager.io/certificate_v1.json"),
        (crds, "Service", "v1", 34, "v1/service_v1.json"),
        ("all.json", "Service", "v1", 34, "all.json"),
        ("{{- if .Group -}} a/{{ printf \"%s\" .ResourceKind }}.json{{ end }}json", "Pod", "v1", 1, "a/pod.jsonjson"),
    ] {
        let path = Template::parse(text).unwrap().path(kind, api_version, Minor(version)).unwrap();
        assert_eq!(path.as_deref(), Some(wanted), "{text}");
    }
}

#[test]
fn what_no_kind_can_be_called_leads_nowhere() {
    let template = Template::parse("{{ .Group }}/{{ .ResourceKind }}.json").unwrap();
    let long = "x".repeat(300);
    for (kind, api_version) in [
        ("../../etc/passwd", "v1"),
        ("Pod", "../v1"),
        ("Pod", "/v1"),
        ("Pod", ""),
        ("", "v1"),
        ("..", "v1"),
        ("a\\b", "v1"),
        ("a\0", "v1"),
        (&long, "v1"),
    ] {
        assert_eq!(template.path(kind, api_version, NOW).unwrap(), None, "{kind} {api_version}");
    }
}

#[test]
fn locations_that_cannot_be_used_are_refused() {
    let dir = folder(&[("file", "")]);
    let refused = |text: &str| SchemaLocation::parse(text, dir.path()).unwrap_err().to_string();
    for (text, reason) in [
        ("https://example.com/{{ .ResourceKind }}.json", "no schema is ever fetched: download it and name the folder"),
        ("http://example.com", "no schema is ever fetched"),
        ("oci://example.com/schemas", "no schema is ever fetched"),
        ("{{ .Kind }}.json", "can't evaluate field Kind in type struct"),
        ("{{ .ResourceKind }.json", "unexpected \"}\" in operand"),
        ("{{ nope }}.json", "function \"nope\" not defined"),
        ("nowhere/{{ .ResourceKind }}.json", "nowhere/ cannot be read"),
        ("nowhere", "cannot be read"),
        ("file/x.json", "file/ cannot be read: "),
    ] {
        let error = refused(text);
        assert!(error.contains(reason), "{text}: {error}");
    }
    assert!(matches!(SchemaLocation::parse("default", dir.path()), Ok(SchemaLocation::Default)));
}

#[test]
fn the_file_of_a_kind_is_found() {
    let dir = folder(&[("s/v1.34.0-standalone-strict/web-example-v1.json", r#"{"type": "object"}"#)]);
    let at = files("s", dir.path());
    let found = at.find("Web", "example.com/v1", NOW).unwrap().unwrap();
    assert_eq!(found.schema, json!({"$schema": DRAFT_4, "type": "object"}));
    assert!(found.path.ends_with("s/v1.34.0-standalone-strict/web-example-v1.json"), "{found:?}");
    assert!(at.find("Web", "example.com/v1", Minor(33)).unwrap().is_none());
    assert!(at.find("Other", "example.com/v1", NOW).unwrap().is_none());
    let address = format!("file://{}/s", dir.path().display());
    assert!(files(&address, Path::new("nowhere")).find("Web", "example.com/v1", NOW).unwrap().is_some());
}

#[test]
fn a_file_that_is_there_must_be_a_schema() {
    for (text, reason) in [
        ("", "DIR/web.json is no JSON: EOF while parsing a value"),
        ("{\"type\": \"object\",}", "DIR/web.json is no JSON: trailing comma"),
        ("{} {}", "DIR/web.json is no JSON: trailing characters"),
        ("kind: Pod", "DIR/web.json is no JSON: expected value"),
        ("null", "DIR/web.json is no schema: expected an object"),
        ("[]", "DIR/web.json is no schema: expected an object"),
        ("true", "DIR/web.json is no schema: expected an object"),
    ] {
        assert_eq!(found(&[("web.json", text)]).unwrap_err(), reason, "{text}");
    }
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(found(&[("web.json", &deep)]).unwrap_err().contains("recursion limit exceeded"));
    assert!(found(&[("web.json/x", "")]).unwrap_err().ends_with("web.json is no file"));

    let dir = folder(&[("web.json", "{\n  \"a\": x\n}")]);
    let error = files("{{ .ResourceKind }}.json", dir.path()).find("Web", "v1", NOW).unwrap_err();
    assert!(error.location.unwrap().to_string().ends_with("web.json:2:8"));
    fs::File::create(dir.path().join("web.json")).unwrap().set_len((16 << 20) + 1).unwrap();
    let error = files("{{ .ResourceKind }}.json", dir.path()).find("Web", "v1", NOW).unwrap_err();
    assert!(error.to_string().ends_with("larger than 16 MiB"), "{error}");
}

/// A file is a part of what refers to it; of a large one only what is reached.
#[test]
fn references_to_files_beside_become_parts() {
    let definitions = json!({
        "id": "https://example.com/definitions",
        "definitions": {
            "a/b": {"properties": {"next": {"$ref": "#/definitions/a~1b"}, "port": {"$ref": "more/port.json"}}},
            "unused": {"$ref": "https://example.com/never.json"},
        }
    });
    let web = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "https://example.com/web",
        "properties": {
            "spec": {"$ref": "_definitions.json#/definitions/a~1b"},
            "same": {"$ref": "./_definitions.json#/definitions/a%7E1b"},
            "own": {"$ref": "#/definitions/own"},
            "$ref": {"enum": [{"$ref": "data"}]},
        },
        "definitions": {"own": {"type": "string"}},
    });
    let port = json!({"allOf": [{"type": "integer"}, {"$ref": "../web.json#/definitions/own"}]});
    let texts = [web, definitions, port].map(|json| json.to_string());
    let there = [("web.json", &*texts[0]), ("_definitions.json", &texts[1]), ("more/port.json", &texts[2])];
    let expected = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "properties": {
            "spec": {"$ref": "#/definitions/file:0"},
            "same": {"$ref": "#/definitions/file:0"},
            "own": {"$ref": "#/definitions/own"},
            "$ref": {"enum": [{"$ref": "data"}]},
        },
        "definitions": {
            "own": {"type": "string"},
            "file:0": {"properties": {"next": {"$ref": "#/definitions/file:0"}, "port": {"$ref": "#/definitions/file:1"}}},
            "file:1": {"allOf": [{"type": "integer"}, {"$ref": "#/definitions/own"}]},
        },
    });
    assert_eq!(found(&there).unwrap().unwrap(), expected);
    assert!(jsonschema::draft7::new(&expected).is_ok());
}

#[test]
fn references_that_lead_nowhere_are_errors() {
    for (reference, reason) in [
        ("https://example.com/a.json", "is an address: no schema is ever fetched"),
        ("urn:a", "is an address"),
        ("nowhere.json", "leads to no file"),
        ("b.json#/definitions/nope", "DIR/b.json has no schema at #/definitions/nope"),
        ("b.json#/type", "DIR/b.json has no schema at #/type"),
        ("b.json#anchor", "names an anchor of another file"),
        ("b.json#%ff", "is not UTF-8 text"),
        ("../no-such-schema.json", "leads to no file"),
        ("/etc/hostname", "is outside of the folder of schemas"),
        ("../../../../../../../../../../../../etc/hostname", "is outside of the folder of schemas"),
        ("broken.json", "DIR/broken.json is no JSON"),
        ("c.json", "is an address"),
    ] {
        let web = json!({"not": {"$ref": reference}}).to_string();
        let there = [
            ("web.json", &*web),
            ("b.json", r#"{"type": "object"}"#),
            ("c.json", r#"{"$ref": "http://example.com"}"#),
            ("broken.json", "{"),
        ];
        let error = found(&there).unwrap_err();
        assert!(error.contains(reason), "{reference}: {error}");
    }
    for (schema, reason) in [
        (json!({"not": {"$id": "https://example.com/inner"}}), "has an $id of its own"),
        (json!({"not": {"$dynamicRef": "b.json#x"}}), "use $ref"),
    ] {
        let error = found(&[("web.json", &schema.to_string())]).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}

/// Each of the parts has all the others in it.
#[test]
fn what_refers_to_itself_without_end_is_bounded() {
    let mut nested = json!("x".repeat(1 << 20));
    let mut pointers = vec![String::new()];
    for _ in 0..80 {
        nested = json!({"not": nested});
        pointers.push(format!("{}/not", pointers.last().unwrap()));
    }
    pointers.pop();
    let references: Vec<Json> = pointers.iter().map(|pointer| json!({"$ref": format!("b.json#{pointer}")})).collect();
    let web = json!({"allOf": references}).to_string();
    let error = found(&[("web.json", &web), ("b.json", &nested.to_string())]).unwrap_err();
    assert!(error.ends_with("take more than 64 MiB"), "{error}");
    let round = [("web.json", r#"{"$ref": "b.json"}"#), ("b.json", r#"{"$ref": "web.json"}"#)];
    let wanted = json!({"$schema": DRAFT_4, "$ref": "#/definitions/file:0", "definitions": {"file:0": {"$ref": "#"}}});
    assert_eq!(found(&round).unwrap().unwrap(), wanted);
}

#[cfg(unix)]
#[test]
fn links_do_not_lead_out_of_the_folder() {
    use std::os::unix::fs::symlink;
    let dir = folder(&[("s/real.json", "{}"), ("outside.json", "{}"), ("s/ref.json", r#"{"$ref": "out.json"}"#)]);
    symlink("real.json", dir.path().join("s/in.json")).unwrap();
    symlink("../outside.json", dir.path().join("s/out.json")).unwrap();
    symlink("nowhere", dir.path().join("s/dangling.json")).unwrap();
    symlink("loop.json", dir.path().join("s/loop.json")).unwrap();
    let at = files("s/{{ .ResourceKind }}.json", dir.path());
    assert!(at.find("in", "v1", NOW).unwrap().is_some());
    assert!(at.find("dangling", "v1", NOW).unwrap().is_none());
    for kind in ["out", "ref"] {
        let error = at.find(kind, "v1", NOW).unwrap_err().to_string();
        assert!(error.contains("out.json is outside of the folder of schemas"), "{error}");
    }
    assert!(at.find("loop", "v1", NOW).unwrap_err().to_string().contains("cannot be read"));
}
