//! The charts that are measured, written below `target/bench` so that other programs can render them too.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// A service as most teams have it: the fixture chart `web` with everything switched on.
pub fn ordinary() -> PathBuf {
    let chart = root().join("tests/fixtures/charts/web");
    let to = empty("ordinary");
    copy(&chart.join("chart"), &to);
    fs::copy(chart.join("cases/full.yaml"), to.join("values.yaml.full")).expect("the case can be copied");
    let (own, full) = (read(&to.join("values.yaml")), read(&to.join("values.yaml.full")));
    fs::remove_file(to.join("values.yaml.full")).expect("it was just written");
    write(&to, "values.yaml", &format!("{own}---\n{full}"));
    to
}

/// One chart of thirty templates that print some 2,600 lines: labels by `include`, blocks of values by `toYaml`.
pub fn thirty_templates() -> PathBuf {
    let to = empty("thirty-templates");
    write_service(&to, "thirty-templates", 30);
    to
}

/// An umbrella chart of so many services under aliases, each of 15 templates: with 26 it prints some 900 kB.
pub fn umbrella(services: usize) -> PathBuf {
    let to = empty(&format!("umbrella-{services}"));
    let mut metadata = "apiVersion: v2\nname: umbrella\nversion: 1.0.0\ndependencies:\n".to_owned();
    let mut values = "global: {domain: example.com, team: platform}\n".to_owned();
    for service in 0..services {
        let _ = writeln!(
            metadata,
            "  - {{name: service, version: 1.x, alias: service{service}, condition: service{service}.enabled}}"
        );
        let _ = writeln!(
            values,
            "service{service}: {{enabled: true, replicas: {}, image: {{tag: \"1.{service}\"}}}}",
            service % 5
        );
    }
    write(&to, "Chart.yaml", &metadata);
    write(&to, "values.yaml", &values);
    write_service(&to.join("charts/service"), "service", 15);
    to
}

fn write_service(to: &Path, name: &str, templates: usize) {
    write(to, "Chart.yaml", &format!("apiVersion: v2\nname: {name}\nversion: 1.2.0\nappVersion: \"4.0\"\n"));
    write(to, "values.yaml", VALUES);
    write(to, "templates/_helpers.tpl", HELPERS);
    for index in 0..templates {
        let template = match index % 3 {
            0 => WORKLOAD,
            1 => NETWORK,
            _ => CONFIG,
        };
        write(to, &format!("templates/part-{index:02}.yaml"), &template.replace("@", &index.to_string()));
    }
}

const VALUES: &str = r#"replicas: 2
image: {repository: registry.example.com/service, tag: latest, pullPolicy: IfNotPresent}
port: 8080
resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 256Mi}}
securityContext: {runAsNonRoot: true, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
env: {LOG_LEVEL: info, REGION: eu-1, WORKERS: 8, CACHE: true, RATIO: 0.75}
hosts:
  - {name: api, paths: [/, /v1, /v2, /health]}
  - {name: admin, paths: [/, /metrics]}
settings:
  server: {listen: "0.0.0.0:8080", timeout: 30, idle: 120, names: [a, b, c, d]}
  database: {host: db, port: 5432, pool: {min: 2, max: 20}, options: {sslmode: require}}
  features: {search: true, export: false, batch: {size: 500, every: 1h}}
greeting: "Hello from {{ .Release.Name }} in {{ .Release.Namespace }}"
tolerations:
  - {key: dedicated, operator: Equal, value: services, effect: NoSchedule}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - {weight: 100, podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: service}}}}
"#;

const HELPERS: &str = r#"{{- define "service.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end -}}
{{- define "service.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
{{- define "service.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "service.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}
{{- define "service.env" -}}
{{- range $name, $value := .Values.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}
"#;

const WORKLOAD: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "service.fullname" . }}-@
  labels:
    {{- include "service.labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels:
      {{- include "service.selector" . | nindent 6 }}
  template:
    metadata:
      annotations:
        checksum/settings: {{ toJson .Values.settings | sha256sum }}
      labels:
        {{- include "service.labels" . | nindent 8 }}
    spec:
      containers:
        {{- range $i, $role := list "web" "worker" "cron" }}
        - name: {{ $role }}
          image: "{{ $.Values.image.repository }}:{{ $.Values.image.tag | default $.Chart.AppVersion }}"
          imagePullPolicy: {{ $.Values.image.pullPolicy }}
          ports:
            - {name: http, containerPort: {{ add $.Values.port $i }}}
          env:
            {{- include "service.env" $ | nindent 12 }}
          securityContext:
            {{- toYaml $.Values.securityContext | nindent 12 }}
          resources:
            {{- toYaml $.Values.resources | nindent 12 }}
        {{- end }}
      {{- with .Values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
"#;

const NETWORK: &str = r#"apiVersion: v1
kind: Service
metadata:
  name: {{ include "service.fullname" . }}-@
  labels:
    {{- include "service.labels" . | nindent 4 }}
spec:
  ports:
    - {port: {{ .Values.port }}, targetPort: http}
  selector:
    {{- include "service.selector" . | nindent 4 }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ include "service.fullname" . }}-@
  labels:
    {{- include "service.labels" . | nindent 4 }}
spec:
  rules:
    {{- range .Values.hosts }}
    - host: {{ .name }}.{{ (.domain | default ($.Values.global).domain) | default "example.org" }}
      http:
        paths:
          {{- range .paths }}
          - path: {{ . | quote }}
            pathType: Prefix
            backend:
              service:
                name: {{ include "service.fullname" $ }}-@
                port: {number: {{ $.Values.port }}}
          {{- end }}
    {{- end }}
"#;

const CONFIG: &str = r#"apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "service.fullname" . }}-@
  labels:
    {{- include "service.labels" . | nindent 4 }}
data:
  greeting: {{ tpl .Values.greeting . | quote }}
  settings.json: {{ toJson .Values.settings | quote }}
  settings.yaml: |
    {{- toYaml .Values.settings | nindent 4 }}
  routes: |
    {{- range $host := .Values.hosts }}
    {{- range $i, $path := $host.paths }}
    {{ printf "%02d %-8s %s" $i $host.name $path }}
    {{- end }}
    {{- end }}
  {{- range $key, $value := .Values.env }}
  {{ $key | lower | replace "_" "-" }}: {{ $value | toString | b64enc }}
  {{- end }}
"#;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A new folder for a chart.
fn empty(name: &str) -> PathBuf {
    let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&to);
    fs::create_dir_all(&to).expect("the folder can be made");
    to
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("the file can be read")
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().expect("it has a folder")).expect("the folder can be made");
    fs::write(path, text).expect("the file can be written");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder can be made");
    for entry in fs::read_dir(from).expect("the folder can be read") {
        let entry = entry.expect("it can be read");
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).expect("the file can be copied");
        }
    }
}
