//! AdmissionReviews and their answers. Adding a file to tests/fixtures/admission adds a test.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use common::{plimsoll, root, snapshots};
use jiff::civil::Date;
use plimsoll::admission::{Answer, Judge, Malformed, Namespaces, Settings};
use plimsoll::finding::Severity;
use plimsoll::json;
use plimsoll::kinds::{Kinds, group_version};
use plimsoll::policy::examples::Examples;
use plimsoll::policy::exemption::Honoured;
use plimsoll::policy::{Catalogue, Pattern, PolicyKind, Profile, Selection, evaluate};
use plimsoll::project::Project;
use plimsoll::value::{Map, Numbers, Value};
use plimsoll::yaml;

const FIXTURES: &str = "tests/fixtures/admission";
const TODAY: Date = jiff::civil::date(2026, 6, 1);

/// A cluster that has one namespace.
struct Known;

impl Namespaces for Known {
    fn get(&self, name: &str) -> Option<Value> {
        let text = "metadata: {name: known, labels: {stage: production, team: a}}";
        (name == "known").then(|| yaml::parse(text, yaml::Options::default()).unwrap())
    }
}

fn ids(catalogue: &Catalogue, selection: &Selection) -> std::collections::HashSet<String> {
    selection.choose(catalogue).unwrap().ids().into_iter().map(str::to_owned).collect()
}

/// The default profile, and the policies and exemptions of the fixtures.
fn judge() -> Judge {
    let folder = root().join(FIXTURES);
    let mut catalogue = Catalogue::builtin().unwrap();
    catalogue.add_folder(&folder.join("policies")).unwrap();
    let project = Project::load(&folder, Path::new("plimsoll.yaml")).unwrap();
    let settings = Settings {
        policies: ids(&catalogue, &Selection::default()),
        exemptions: project.exemptions,
        honoured: Honoured::Project,
        kube_version: "v1.35.0".into(),
        namespaces: Some(Arc::new(Known)),
    };
    Judge::new(catalogue, settings).unwrap()
}

#[test]
fn every_review_is_answered_as_its_snapshot() {
    let judge = judge();
    let mut files: Vec<_> = fs::read_dir(root().join(FIXTURES)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.is_file() && file.file_name().is_some_and(|name| name != "plimsoll.yaml"));
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let options = yaml::Options { strict: true, ..Default::default() };
        let reviews = yaml::parse_stream(&fs::read_to_string(&file).unwrap(), options).unwrap();
        let mut shown = String::new();
        for review in reviews {
            let body = json::to_json(&review.value).unwrap();
            let answer = judge.answer(body.as_bytes(), TODAY).unwrap();
            let response = json::parse(&answer.body, Numbers::Exact).unwrap();
            assert_eq!(response.at(["response", "uid"]), review.value.at(["request", "uid"]));
            shown.push_str(&format!("{}\n", told(&answer)));
            shown.push_str(&yaml::to_yaml_pretty(response.get("response").unwrap()).unwrap());
            shown.push('\n');
        }
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        snapshots("admission").bind(|| insta::assert_snapshot!(name, shown));
    }
}

/// What is logged of an answer.
fn told(answer: &Answer) -> String {
    let mut told = format!("{} {}", answer.operation, answer.object);
    told.extend(answer.user.iter().map(|user| format!(" by {user}")));
    told.push_str(if answer.dry_run { ", dry run" } else { "" });
    let policies = [
        ("denied", &answer.denied),
        ("warned", &answer.warned),
        ("audited", &answer.audited),
        ("exempted", &answer.exempted),
    ];
    for (what, ids) in policies.into_iter().filter(|(_, ids)| !ids.is_empty()) {
        told.push_str(&format!("\n{what}: {}", ids.join(" ")));
    }
    told
}

/// The review that the API server would send about the creation of an object.
fn creation(object: &Value, namespace: &str, kinds: &Kinds<'_>) -> Vec<u8> {
    let text = |path: &[&str]| object.at(path.iter().copied()).and_then(Value::as_str).unwrap_or_default();
    let (group, version) = group_version(text(&["apiVersion"]));
    let kind = text(&["kind"]);
    let namespaced = kinds.is_namespaced(group, kind);
    let is_namespace = group.is_empty() && kind == "Namespace";
    let placed = Some(text(&["metadata", "namespace"])).filter(|namespace| !namespace.is_empty()).unwrap_or(namespace);
    let mut object = object.as_map().unwrap().clone();
    if namespaced {
        let mut metadata = object.get("metadata").and_then(Value::as_map).cloned().unwrap_or_default();
        metadata.insert("namespace", placed.into());
        object.insert("metadata", metadata.into());
    }
    let map = |entries: Vec<(&str, Value)>| -> Value { entries.into_iter().collect::<Map>().into() };
    let name = object.get("metadata").and_then(|metadata| metadata.get("name")).cloned().unwrap_or("".into());
    let gv = |what: &'static str, named: &str| {
        map(vec![("group", group.into()), ("version", version.into()), (what, named.into())])
    };
    let mut request = vec![
        ("uid", "u".into()),
        ("kind", gv("kind", kind)),
        ("resource", gv("resource", &kinds.resource(group, kind))),
        ("name", name.clone()),
        ("operation", "CREATE".into()),
        ("object", object.into()),
    ];
    if namespaced {
        request.push(("namespace", placed.into()));
    } else if is_namespace {
        request.push(("namespace", name));
    }
    let review = map(vec![
        ("apiVersion", "admission.k8s.io/v1".into()),
        ("kind", "AdmissionReview".into()),
        ("request", map(request)),
    ]);
    json::to_json(&review).unwrap().into_bytes()
}

/// All policies, each violation an error, so that the message of a denial tells them all.
fn strict(kube_version: &str) -> Judge {
    let mut catalogue = Catalogue::builtin().unwrap();
    let all: Vec<_> = catalogue.policies().map(|policy| (Pattern::new(&*policy.id), Severity::Error)).collect();
    catalogue.set_severity(&all).unwrap();
    let selection = Selection { profiles: vec![Profile::All], ..Selection::default() };
    let settings = Settings {
        policies: ids(&catalogue, &selection),
        exemptions: Vec::new(),
        honoured: Honoured::None,
        kube_version: kube_version.into(),
        namespaces: None,
    };
    Judge::new(catalogue, settings).unwrap()
}

/// Every object of every example of every policy of single objects.
#[test]
fn a_webhook_judges_as_offline() {
    let catalogue = Catalogue::builtin().unwrap();
    let mut judges = BTreeMap::new();
    let (mut judged, mut denied, mut wrong) = (0, 0, Vec::new());
    for entry in catalogue.entries().iter().filter(|entry| entry.policy.kind == PolicyKind::Object) {
        let (policy, examples) = (&entry.policy, Examples::read(&entry.examples().unwrap()).unwrap());
        for example in examples.pass.iter().chain(&examples.fail) {
            for release in example.releases() {
                let judge = judges.entry(release.kube_version.to_owned()).or_insert_with_key(|version| strict(version));
                let found = evaluate([policy], &[release]).unwrap();
                let kinds = Kinds::of(release.objects);
                for (index, object) in release.objects.iter().enumerate() {
                    let answer = judge.answer(&creation(object, release.namespace, &kinds), TODAY).unwrap();
                    let response = json::parse(&answer.body, Numbers::Exact).unwrap();
                    let message = response.at(["response", "status", "message"]).and_then(Value::as_str);
                    let lines: Vec<&str> = message.unwrap_or_default().lines().collect();
                    let of_policy = |line: &&&str| line.starts_with(&format!("{}: ", policy.id));
                    let lines: Vec<&str> = lines.iter().filter(of_policy).copied().collect();
                    let offline: Vec<_> = found.iter().filter(|violation| violation.object == Some(index)).collect();
                    let told = |(line, message): (&&str, &String)| line.contains(&words(message));
                    let messages: Vec<String> = offline.iter().map(|violation| violation.message.clone()).collect();
                    let agrees = lines.len() == messages.len()
                        && lines.iter().zip(&messages).all(told)
                        && answer.denied.contains(&policy.id) != messages.is_empty();
                    if !agrees {
                        wrong.push(format!("{}, {}: {messages:#?}, {lines:#?}", policy.id, example.name));
                    }
                    judged += 1;
                    denied += usize::from(!messages.is_empty());
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {judged} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(judged > 500 && denied > 200, "{judged} objects, {denied} of them denied");
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_needs_more_than_one_object_is_left_out_and_told() {
    let judge = strict("v1.35.0");
    let catalogue = Catalogue::builtin().unwrap();
    let objects = catalogue.policies().filter(|policy| policy.kind == PolicyKind::Object).count();
    assert_eq!(judge.policies(), objects);
    assert_eq!(judge.policies() + judge.left_out().len(), catalogue.entries().len());
    let named = |policy: &str| Settings {
        policies: [policy.to_owned()].into(),
        exemptions: Vec::new(),
        honoured: Honoured::Project,
        kube_version: "v1.35.0".into(),
        namespaces: None,
    };
    let faults = Judge::new(catalogue, named("reliability/dangling-servicemonitor")).unwrap_err();
    assert_eq!(faults[0].message, "none of the chosen policies judges single objects, so nothing would be checked");
}

#[test]
fn what_an_object_says_of_itself_counts_only_where_that_is_wanted() {
    let object = "{apiVersion: v1, kind: Pod, metadata: {name: a, annotations: {plimsoll.dev/exemptions: TEXT}}, \
                  spec: {hostPID: true, containers: [{name: a, image: 'example.com/a:1'}]}}";
    let good = "'[{policy: pod-security/host-namespaces, reason: it counts processes}]'";
    let answered = |honoured: Honoured, text: &str| {
        let catalogue = Catalogue::builtin().unwrap();
        let settings = Settings {
            policies: ["pod-security/host-namespaces".to_owned()].into(),
            exemptions: Vec::new(),
            honoured,
            kube_version: "v1.35.0".into(),
            namespaces: None,
        };
        let judge = Judge::new(catalogue, settings).unwrap();
        let object = yaml::parse(&object.replace("TEXT", text), yaml::Options::default()).unwrap();
        let answer = judge.answer(&creation(&object, "shop", &Kinds::default()), TODAY).unwrap();
        (answer.allowed, answer.exempted.len(), String::from_utf8(answer.body).unwrap())
    };
    let (allowed, exempted, body) = answered(Honoured::All, good);
    assert!(allowed && exempted == 1 && body.contains("exempted: it counts processes"), "{body}");
    for honoured in [Honoured::Project, Honoured::None] {
        let (allowed, exempted, body) = answered(honoured, good);
        assert!(!allowed && exempted == 0, "{body}");
    }
    let (allowed, _, body) = answered(Honoured::All, "'{'");
    assert!(!allowed && body.contains("the annotation plimsoll.dev/exemptions cannot be read"), "{body}");
}

/// A review about a Pod.
const POD: &str = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},"name":"web","namespace":"shop","operation":"CREATE","userInfo":{"username":"alice"},"object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"},"spec":{"hostPID":true,"containers":[{"name":"web","image":"nginx"}]}},"oldObject":null,"dryRun":false}}"#;

#[test]
fn what_is_no_review_is_not_answered() {
    let judge = judge();
    let answered = |body: &str| judge.answer(body.as_bytes(), TODAY);
    assert!(!answered(POD).unwrap().allowed);
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let cases = [
        (String::new(), "the review is no JSON: unexpected end of JSON input"),
        ("[]".into(), "expected apiVersion admission.k8s.io/v1 and kind AdmissionReview, found array"),
        ("{}".into(), "expected apiVersion admission.k8s.io/v1 and kind AdmissionReview, found none and none"),
        (POD.replace("k8s.io/v1", "k8s.io/v1beta1"), "found \"admission.k8s.io/v1beta1\" and \"AdmissionReview\""),
        (POD.replace("\"AdmissionReview\"", "7"), "found \"admission.k8s.io/v1\" and number"),
        (POD.replace("\"request\":", "\"response\":"), "request is missing"),
        (POD.replace("\"uid\":\"u\",", ""), "request.uid: expected a text"),
        (POD.replace("\"uid\":\"u\"", "\"uid\":[\"u\"]"), "request.uid: expected a text"),
        (POD.replace("\"uid\":\"u\"", &format!("\"uid\":\"{}\"", "u".repeat(500))), "request.uid: expected a text"),
        (
            POD.replace("CREATE", "create"),
            "request.operation: expected CREATE, UPDATE, DELETE or CONNECT, found \"create\"",
        ),
        (
            POD.replace("\"operation\":\"CREATE\",", ""),
            "request.operation: expected CREATE, UPDATE, DELETE or CONNECT, found nothing",
        ),
        (POD.replace("CREATE", "UPDATE"), "request.oldObject: expected an object, found nothing"),
        (POD.replace("\"object\":{", "\"object\":null,\"x\":{"), "request.object: expected an object, found nothing"),
        (POD.replace("\"object\":{", "\"object\":\"{}\",\"x\":{"), "request.object: expected an object, found \"{}\""),
        (
            POD.replace("\"kind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"Pod\"},", ""),
            "request.kind: expected group, version and kind, found nothing",
        ),
        (
            POD.replace("\"resource\":\"pods\"", "\"resource\":[]"),
            "request.resource: expected group, version and resource, found object",
        ),
        (POD.replace("\"dryRun\":false", "\"dryRun\":\"no\""), "request.dryRun: expected true or false, found \"no\""),
        (POD.replace("\"namespace\":\"shop\"", "\"namespace\":1"), "request.namespace: expected a text, found number"),
        (POD.replace("{\"username\":\"alice\"}", "\"alice\""), "request.userInfo: expected a mapping, found \"alice\""),
        (POD.replace("true,\"con", "1e999,\"con"), "the review is no JSON: json: cannot unmarshal number 1e999"),
        (POD.replace("true,\"con", &format!("{deep},\"con")), "the review is no JSON: exceeded max depth"),
        (POD.replace("true,\"con", "NaN,\"con"), "the review is no JSON: invalid character 'N'"),
        (format!("{POD}{POD}"), "the review is no JSON: invalid character '{' after top-level value"),
    ];
    for (body, wanted) in cases {
        let error = answered(&body).expect_err(&body);
        assert!(error.to_string().contains(wanted), "{error}\n{wanted}");
    }
    assert!(matches!(answered("{}"), Err(Malformed::Kind(_))));
}

#[test]
fn odd_objects_are_judged() {
    let judge = judge();
    let denied = |body: String| {
        let answer = judge.answer(body.as_bytes(), TODAY).unwrap();
        assert!(answer.body.len() < 200_000, "{}", answer.body.len());
        answer.denied
    };
    let host = ["pod-security/host-namespaces".to_owned()];
    // Of a key that is written twice the last one counts, as it does for the API server.
    assert_eq!(denied(POD.replace("\"hostPID\":true", "\"hostPID\":true,\"hostPID\":false")), Vec::<String>::new());
    assert_eq!(denied(POD.replace("\"hostPID\":true", "\"hostPID\":false,\"hostPID\":true")), host);
    // An answer is bounded, however large the object.
    let many =
        format!("{{\"name\":\"a\",\"securityContext\":{{\"privileged\":true}},\"image\":\"{}\"}},", "x".repeat(100));
    let start = std::time::Instant::now();
    assert!(
        !denied(POD.replace("[{\"name\":\"web\"", &format!("[{}{{\"name\":\"web\"", many.repeat(18_000)))).is_empty()
    );
    assert!(start.elapsed() < std::time::Duration::from_secs(60), "{:?}", start.elapsed());
    // The API server takes no such Pod; here it is some answer.
    for spec in ["7", "\"x\"", "[1]", "{\"containers\":7}", "{\"containers\":[7]}", "{\"containers\":[{\"name\":{}}]}"]
    {
        let body = POD.replace("{\"hostPID\":true,\"containers\":[{\"name\":\"web\",\"image\":\"nginx\"}]}", spec);
        assert_ne!(body, POD);
        denied(body);
    }
}

/// Reviews with parts taken away, doubled, or put in place of others: whatever they are, there is an answer or an error.
#[test]
fn no_review_panics() {
    let judge = judge();
    let mut state = 1_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut seeds = vec![POD.to_owned()];
    for name in ["update", "delete", "connect", "scale", "equivalent", "create-pod-exempted"] {
        let text = fs::read_to_string(root().join(FIXTURES).join(format!("{name}.yaml"))).unwrap();
        let reviews = yaml::parse_stream(&text, yaml::Options::default()).unwrap();
        seeds.extend(reviews.iter().map(|review| json::to_json(&review.value).unwrap()));
    }
    let parts =
        ["null", "{}", "[]", "\"\"", "1e308", "-9223372036854775808", "true", "{\"a\":null}", "[null]", "\"\\u0000\""];
    let mut answered = 0;
    for _ in 0..3_000 {
        let mut body = seeds[next(seeds.len())].clone();
        for _ in 0..=next(3) {
            // A value, from behind its key to the next comma.
            let starts: Vec<usize> = body.match_indices(':').map(|(at, _)| at + 1).collect();
            let Some(start) = starts.get(next(starts.len().max(1))).copied() else { break };
            let length = body[start..].find([',', '}']).unwrap_or(body.len() - start);
            match next(4) {
                0 => body.replace_range(start..start + length, parts[next(parts.len())]),
                1 => {
                    let value = body[start..].find('{').map_or("1".into(), |at| body[start + at..].to_owned());
                    let value = json::parse_prefix(&value, Numbers::Exact)
                        .map_or("1".into(), |(_, end)| value[..end].to_owned());
                    body.replace_range(start..start + length, &value);
                }
                2 => body.truncate(start + next(body.len() - start + 1)),
                _ => body = body.replacen("\"v1\"", parts[next(parts.len())], 1 + next(3)),
            }
            if !body.is_ascii() {
                break;
            }
        }
        if let Ok(answer) = judge.answer(body.as_bytes(), TODAY) {
            answered += 1;
            let response = json::parse(&answer.body, Numbers::Exact).unwrap();
            let allowed = response.at(["response", "allowed"]).and_then(Value::as_bool);
            assert_eq!(allowed, Some(answer.allowed));
        }
    }
    assert!(answered > 300, "{answered} are answered");
}

#[test]
fn a_judge_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Judge>();
}

#[test]
fn reviews_are_answered_and_manifests_judged_on_the_command_line() {
    let run = |args: &[&str], stdin: &str| {
        let run = plimsoll(&root().join(FIXTURES), &[&["admit", "--no-config"], args].concat(), stdin);
        (run.status, run.stdout, run.stderr)
    };
    let harmless = POD.replace("true", "false").replace("\"u\"", "\"v\"");
    let uids = |text: &str| -> Vec<String> {
        let uid = |line: &str| {
            let value = json::parse(line, Numbers::Exact).unwrap();
            value.at(["response", "uid"]).and_then(Value::as_str).unwrap().to_owned()
        };
        text.lines().map(uid).collect()
    };
    // One; several, as lines of JSON and as documents of YAML.
    let (status, out, err) = run(&[], &harmless);
    assert_eq!((status, uids(&out), &*err), (0, vec!["v".to_owned()], ""));
    let (status, out, _) = run(&[], &format!("{harmless}\n\n{POD}\n"));
    assert_eq!((status, uids(&out)), (1, vec!["v".to_owned(), "u".to_owned()]));
    let (status, out, _) = run(&["-f", "delete.yaml", "-f", "scale.yaml"], "");
    assert_eq!((status, uids(&out).len()), (0, 4));
    // Manifests.
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {hostPID: true, containers: [{name: web, image: 'a:1'}]}\n";
    let (status, out, _) = run(&["--format", "json", "-n", "shop"], pod);
    assert!(status == 1 && out.contains("pod-security/host-namespaces") && out.contains("\"shop\""), "{out}");
    // What could not be judged.
    let failed = |stdin: &str, wanted: &str| {
        let (status, out, err) = run(&[], stdin);
        assert_eq!((status, &*out), (2, ""), "{stdin}");
        assert!(err.contains(wanted), "{err}");
    };
    failed(&format!("{pod}---\n{POD}"), "there are AdmissionReviews and manifests");
    failed(&format!("{POD}{}", POD.replace("\"uid\":\"u\",", "")), "request.uid: expected a text");
    failed(&POD.replace("k8s.io/v1\"", "k8s.io/v1beta1\""), "list v1 in admissionReviewVersions");
    failed("", "there is nothing to check");
    failed("{", "");
    // A file of values, say: policies match kinds, and all would let it pass.
    failed("image: {tag: '1'}\n", "there is neither a review nor an object");
}
