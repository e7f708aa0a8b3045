//! `file://` repositories, vendored charts and lock files.

use super::*;

const COMMON: &str = "apiVersion: v2\nname: common\nversion: 1.4.2\nappVersion: \"1.10\"\n";

fn workspace() -> Workspace {
    let workspace = Workspace::with_dependencies(
        "- name: common
  version: '>=1.0 <2'
  repository: file://../common
  condition: common.enabled
  tags: [x, y]
  import-values: [data, {child: a, parent: b}]
",
    );
    workspace.write("common/Chart.yaml", COMMON);
    workspace.write("common/values.yaml", "a: 1 # kept\n");
    workspace.write("common/values.schema.json", "{}");
    workspace.write("common/templates/x.yaml", "a: {{ .Values.a }}\n");
    workspace.write("common/.helmignore", "*.bak\n");
    workspace.write("common/x.bak", "");
    workspace.write("common/charts/inner/Chart.yaml", "name: inner\nversion: 1.0.0\n");
    workspace
}

#[test]
fn folders_are_packaged_and_locked_as_helm_does() {
    let workspace = workspace();
    let outcome = workspace.update();
    assert_eq!(outcome.saved[0].file, "common-1.4.2.tgz");
    assert_eq!(outcome.lock, Some("Chart.lock"));
    // The digest is what Helm 4.1.4 writes.
    assert_eq!(
        workspace.read("app/Chart.lock"),
        "dependencies:
- name: common
  repository: file://../common
  version: 1.4.2
digest: sha256:466b430cc33cc27b917781e82b13e33025eaad000d90ac36dd270ef8366f2bd9
generated: \"2000-02-29T00:00:00Z\"
"
    );
    let packed = chart::load(&workspace.path("app/charts/common-1.4.2.tgz")).unwrap();
    assert_eq!(packed.chart_yaml.text.as_ref(), "apiVersion: v2\nappVersion: \"1.10\"\nname: common\nversion: 1.4.2\n");
    assert_eq!(packed.values_yaml.unwrap().text.as_ref(), "a: 1 # kept\n");
    assert!(packed.schema.is_some());
    let files: Vec<&str> = packed.templates.iter().chain(packed.files.iter()).map(|file| &*file.name).collect();
    assert_eq!(files, ["templates/x.yaml", ".helmignore"]);
    assert_eq!(packed.dependencies[0].name(), "inner");
}

#[test]
fn the_same_folder_gives_the_same_archive() {
    let workspace = workspace();
    workspace.update();
    let first = workspace.state();
    workspace.write("common/values.yaml", "a: 1 # kept\n");
    let outcome = workspace.update();
    assert_eq!(outcome.lock, None);
    assert_eq!(workspace.state(), first);
}

#[test]
fn what_is_outdated_goes_and_what_is_no_chart_stays() {
    let workspace = workspace();
    workspace.write("app/charts/common-1.0.0.tgz", archive("common", "1.0.0"));
    workspace.write("app/charts/gone-1.0.0.tgz", archive("gone", "1.0.0"));
    workspace.write("app/charts/_README.md", "mine");
    workspace.write("app/charts/own/Chart.yaml", "apiVersion: v2\nname: own\nversion: 1.0.0\n");
    let outcome = workspace.update();
    assert_eq!(outcome.removed, ["common-1.0.0.tgz", "gone-1.0.0.tgz"]);
    assert_eq!(workspace.charts(), ["_README.md", "common-1.4.2.tgz", "own"]);
}

#[test]
fn charts_without_a_repository_must_be_there() {
    let workspace = Workspace::with_dependencies("- name: own\n  version: ~1\n");
    let error = workspace.refused(&options());
    assert_eq!(error.to_string(), "dependency \"own\" names no repository, and charts/ holds no own ~1");
    workspace.write("app/charts/own/Chart.yaml", "apiVersion: v2\nname: own\nversion: 2.0.0\n");
    assert!(workspace.refused(&options()).help().unwrap().contains("put the chart into charts/"));
    workspace.write("app/charts/own-1.2.0.tgz", archive("own", "1.2.0"));
    let outcome = workspace.update();
    assert_eq!((outcome.vendored.as_slice(), outcome.removed.len()), (&["own".to_string()][..], 0));
    assert!(workspace.read("app/Chart.lock").contains("- name: own\n  repository: \"\"\n  version: ~1\n"));
}

#[test]
fn locked_follows_the_lock_file_or_fails() {
    let workspace = workspace();
    let locked = Options { locked: true, ..options() };
    assert_eq!(workspace.refused(&locked).to_string(), "there is no Chart.lock to follow");
    workspace.update();
    let lock = workspace.read("app/Chart.lock");
    fs::remove_dir_all(workspace.path("app/charts")).unwrap();
    assert_eq!(workspace.run(&locked).unwrap().lock, None);
    assert_eq!(workspace.charts(), ["common-1.4.2.tgz"]);
    workspace.write("common/Chart.yaml", COMMON.replace("1.4.2", "1.5.0"));
    assert!(workspace.refused(&locked).to_string().starts_with("can't get a valid version for 1 subchart(s)"));
    workspace.write("common/Chart.yaml", COMMON);
    workspace.write("app/Chart.lock", lock.replace("1.4.2", "1.4.1"));
    let error = workspace.refused(&locked).to_string();
    assert!(
        error.starts_with("the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml)"),
        "{error}"
    );
}

#[test]
fn charts_of_version_1_have_requirements() {
    let workspace = workspace();
    workspace.write("app/Chart.yaml", "apiVersion: v1\nname: app\nversion: 0.1.0\n");
    workspace.write(
        "app/requirements.yaml",
        "dependencies:\n- name: common\n  version: 1.4.2\n  repository: file://../common\n",
    );
    assert_eq!(workspace.update().lock, Some("requirements.lock"));
    assert!(!workspace.path("app/Chart.lock").exists());
    let locked = Options { locked: true, ..options() };
    workspace.run(&locked).unwrap();
    // What Helm 2 wrote: the digest of the requirements alone.
    let lock = workspace.read("app/requirements.lock");
    let digest = lock.lines().find(|line| line.starts_with("digest")).unwrap();
    let of_helm_2 = repository::Digest::of(
        br#"{"dependencies":[{"name":"common","version":"1.4.2","repository":"file://../common"}]}"#,
    );
    workspace.write("app/requirements.lock", lock.replace(digest, &format!("digest: {of_helm_2}")));
    workspace.run(&locked).unwrap();
}

#[test]
fn a_chart_without_dependencies_is_left_alone() {
    let workspace = Workspace::with_dependencies("");
    let before = workspace.state();
    assert_eq!(workspace.update(), Outcome::default());
    assert_eq!(workspace.state(), before);
}

#[test]
fn wrong_dependencies_are_refused_with_a_way_out() {
    for (dependency, error, help) in [
        ("{name: a, version: 1, repository: '@stable'}", "plimsoll keeps no list of repositories", "https://charts"),
        ("{name: a, version: 1, repository: 'alias:stable'}", "plimsoll keeps no list of repositories", "oci://"),
        ("{name: a, version: 1, repository: stable}", "it does not begin with http:// or https://", "file://../folder"),
        ("{name: a, version: 1, repository: 'https://u:secret@h'}", "holds credentials", ""),
        ("{name: a, version: 1, repository: file://../nothing}", "nothing not found", ""),
        ("{name: a, version: one, repository: file://../common}", "improper constraint: one", ""),
        ("{name: a, repository: file://../common}", "improper constraint: ", ""),
        ("{name: common, version: 2, repository: file://../common}", "can't get a valid version for 1 subchart(s)", ""),
        ("{name: other, version: 1, repository: file://../common}", "holds common 1.4.2, not other 1.4.2", ""),
        ("{name: ../a, version: 1, repository: file://../common}", "has no name that a chart can have", ""),
        ("{name: A, version: 1, repository: oci://localhost}", "is no name of a chart in a registry", ""),
    ] {
        let workspace = workspace();
        workspace.write(
            "app/Chart.yaml",
            format!("apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n- {dependency}\n"),
        );
        let found = workspace.refused(&options());
        assert!(found.to_string().contains(error), "{dependency}: {found}");
        assert!(found.help().unwrap_or_default().contains(help), "{dependency}: {:?}", found.help());
    }
}

#[test]
fn only_the_network_needs_the_network() {
    let offline = Options { network: None, ..options() };
    assert_eq!(workspace().run(&offline).unwrap().saved.len(), 1);
    let remote = Workspace::with_dependencies("- {name: a, version: 1, repository: 'https://charts.example.com'}\n");
    let error = remote.refused(&offline);
    assert!(error.to_string().contains("which only `plimsoll deps` asks"), "{error}");
}
