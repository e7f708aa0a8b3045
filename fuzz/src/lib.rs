//! What every fuzz target does with its input. A target finds a bug where it panics, overflows its stack, hangs or
//! takes memory without bound; errors are what hostile input should give.

use std::io;

use plimsoll::policy::cel::value::Val;
use plimsoll::policy::cel::{Evaluation, Program, Scope};
use plimsoll::value::Value;
use plimsoll::values::{Inputs, Supplied};
use plimsoll::yaml;

/// Reads YAML; what can be read must survive being written and read again.
pub fn yaml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = yaml::parse_stream(text, yaml::Options { strict: true, ..Default::default() });
    let Ok(value) = yaml::parse(text, yaml::Options::default()) else { return };
    let _ = yaml::to_yaml_pretty(&value);
    if let Ok(written) = yaml::to_yaml(&value) {
        let again = yaml::parse(&written, yaml::Options::default()).expect("what was written can be read");
        assert_eq!(yaml::to_yaml(&again).ok(), Some(written), "writing is stable");
    }
}

/// Reads lines of `--set`, `--set-string`, `--set-json` and `--set-literal`, chosen by their first byte.
pub fn set(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut inputs = Inputs::default();
    for line in text.lines() {
        let mut chars = line.chars();
        let list = match chars.next() {
            Some('s') => &mut inputs.set_string,
            Some('j') => &mut inputs.set_json,
            Some('l') => &mut inputs.set_literal,
            Some(_) => &mut inputs.set,
            None => continue,
        };
        list.push(chars.as_str().to_owned());
    }
    let _ = Supplied::read(&inputs, &|_| Err(io::ErrorKind::NotFound.into()));
}

/// Compiles a CEL expression and evaluates it.
pub fn cel(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let scope = Scope { globals: &["object", "params"], composed: &[] };
    let Ok(program) = Program::compile(text, scope) else { return };
    let object = yaml::parse(OBJECT, yaml::Options::default()).expect("it is YAML");
    let globals = [Val::plain(&object, None), Val::plain(&Value::Null, None)];
    let _ = Evaluation::new(&globals, &[]).value(&program);
}

const OBJECT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web, tier: front}, annotations: {}}
spec:
  replicas: 3
  template:
    spec:
      containers:
        - {name: a, image: 'registry.example.com/a:1', ports: [{containerPort: 80}], resources: {limits: {cpu: 100m, memory: 1Gi}}}
        - {name: b, image: b, securityContext: {privileged: true, runAsUser: 0}}
";
