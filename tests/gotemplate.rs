//! Go templates of whole charts: order, shared values, all failures, and where rendered text comes from.

use std::fs;
use std::path::Path;

use plimsoll::chart::{self, Capabilities};
use plimsoll::render::functions::Host;
use plimsoll::render::gotemplate::{Error, Scope, Templates};
use plimsoll::render::{Release, RenderedFile};
use plimsoll::source::Location;
use plimsoll::values::{self, Inputs, SchemaCheck, Supplied};

struct Still;

impl Host for Still {
    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(0);
    }

    fn now(&mut self) -> (i64, u32) {
        (0, 0)
    }
}

/// Renders the chart `c` that consists of these files.
fn render(files: &[(&str, &str)], trace: bool) -> Result<Vec<RenderedFile>, Error> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let write = |path: &str, text: &str| {
        let path = dir.path().join("c").join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    write("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n");
    files.iter().for_each(|(path, text)| write(path, text));
    let chart = chart::load(&dir.path().join("c")).expect("the chart loads");
    let supplied = Supplied::read(&Inputs::default(), &|_| Ok(Vec::new())).expect("no values");
    let capabilities = Capabilities::default();
    let resolved = values::resolve(&chart, &supplied, &capabilities, SchemaCheck::Skip).expect("values");
    let release = Release { name: "r".into(), namespace: "ns".into(), revision: 1, is_upgrade: false };
    let scope = Scope {
        chart: &resolved.chart,
        values: &resolved.values,
        release: &release,
        capabilities: &capabilities,
        host: &|| Box::new(Still),
    };
    Templates::parse(&resolved.chart)?.render(&scope, trace)
}

/// The chain and the keys of the line that holds a text: `file:line < file:line [keys] [guards]`.
fn origin(file: &RenderedFile, text: &str) -> String {
    let at = file.text.find(text).expect("the text is there");
    let origin = file.map.as_ref().and_then(|map| map.origin(at)).expect("it has an origin");
    let place = |location: &Location| {
        let name = location.file.name.rsplit('/').next().unwrap_or_default();
        format!("{name}:{}", location.position().line)
    };
    let chain: Vec<String> = origin.chain.iter().map(place).collect();
    let keys = |keys: &[plimsoll::value::Path]| keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    format!("{} [{}] [{}]", chain.join(" < "), keys(origin.keys), keys(origin.guards))
}

#[test]
fn values_are_shared_and_later_templates_see_what_earlier_ones_set() {
    let files = render(
        &[
            ("values.yaml", "a: {x: 1}"),
            ("templates/a.yaml", "x: {{ .Values.a.x }}"),
            ("templates/b.yaml", "{{ $_ := set .Values.a \"x\" 2 }}"),
        ],
        false,
    );
    let files = files.expect("it renders");
    assert_eq!(files.iter().find(|file| file.name == "c/templates/a.yaml").map(|file| &*file.text), Some("x: 2"));
}

#[test]
fn every_failing_template_is_reported() {
    let error = render(
        &[
            ("templates/_p.tpl", "{{ define \"p\" }}\n{{ .a.b }}{{ end }}"),
            ("templates/a.yaml", "{{ fail \"no\" }}"),
            ("templates/b.yaml", "{{ include \"p\" (dict \"a\" 1) }}"),
            ("templates/c.yaml", "c: 1"),
        ],
        false,
    )
    .expect_err("two templates fail");
    let reasons: Vec<_> = error.failures.iter().map(|failure| (&*failure.template, &*failure.reason)).collect();
    assert_eq!(
        reasons,
        [("c/templates/b.yaml", "can't evaluate field b in type interface {}"), ("c/templates/a.yaml", "no")]
    );
    assert_eq!(error.failures[0].chain.len(), 2, "the partial, and what includes it");

    let error = render(&[("templates/a.yaml", "{{ if }}"), ("templates/b.yaml", "{{ end }}")], false);
    assert_eq!(error.expect_err("two templates do not parse").failures.len(), 2);
}

#[test]
fn rendered_text_leads_to_its_template_and_its_values() {
    let files = render(
        &[
            (
                "values.yaml",
                "name: web\nport: 80\nenabled: true\nhosts: [h1, h2]\nresources:\n  limits: {cpu: 1}\ntext: 'k: {{ .Values.port }}'\n",
            ),
            ("templates/_l.tpl", "{{ define \"l\" }}app: {{ .Values.name }}\nsecond: text{{ end }}"),
            (
                "templates/a.yaml",
                "kind: X\nlabels:\n  {{- include \"l\" . | nindent 2 }}\n{{- if .Values.enabled }}\np: {{ .Values.port | quote }}\n\
                 {{- end }}\n{{- range .Values.hosts }}\n- {{ . }}{{ end }}\nresources:\n  {{- toYaml .Values.resources | nindent 2 }}\n\
                 {{- $x := .Values.port }}\n{{ tpl .Values.text . }}\nx: {{ $x }} <no value>!\n",
            ),
        ],
        true,
    )
    .expect("it renders");
    let file = &files[0];
    for (text, expected) in [
        ("kind", "a.yaml:1 [] []"),
        ("web", "_l.tpl:1 < a.yaml:3 [name] []"),
        ("second", "_l.tpl:2 < a.yaml:3 [] []"),
        ("\"80\"", "a.yaml:5 [port] [enabled]"),
        ("h2", "a.yaml:8 [hosts[1]] [hosts]"),
        ("cpu", "a.yaml:10 [resources.limits.cpu] []"),
        ("k:", "gotpl:1 < a.yaml:12 [] [text]"),
        ("80 ", "a.yaml:13 [port] []"),
        ("!", "a.yaml:13 [] []"),
    ] {
        assert_eq!(origin(file, text), expected, "{text:?} in\n{}", file.text);
    }
}

#[test]
fn hostile_templates_end_in_errors() {
    for template in [
        "{{ define \"t\" }}{{ template \"t\" . }}{{ end }}{{ template \"t\" . }}",
        "{{ $_ := set .Values \"t\" \"{{ tpl .Values.t . }}\" }}{{ tpl .Values.t . }}",
        "{{ $d := dict }}{{ $_ := set $d \"self\" $d }}{{ print $d }}",
        "{{ $x := list }}{{ range 100000 }}{{ $x = list $x }}{{ end }}{{ print $x }}",
        "{{ $x := \"aaaaaaaa\" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}",
        &format!("{{{{ {}1{} }}}}", "(".repeat(20_000), ")".repeat(20_000)),
    ] {
        assert!(render(&[("templates/a.yaml", template)], true).is_err(), "{}", &template[..60]);
    }
}
