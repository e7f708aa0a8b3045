//! The arguments that say which release of which chart is meant: those of `helm template`.

use std::path::PathBuf;

/// Helm's flags that decide what is rendered.
#[derive(Debug, clap::Args)]
pub(super) struct ChartArgs {
    /// Read values from a YAML file, or from `-` (repeatable; the last wins)
    #[arg(short = 'f', long = "values", value_name = "FILE", value_delimiter = ',', help_heading = "Values")]
    pub values: Vec<String>,
    /// Set values: key1=val1,key2=val2 (repeatable)
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true, help_heading = "Values")]
    pub set: Vec<String>,
    /// Set values that stay text (repeatable)
    #[arg(long, value_name = "KEY=TEXT", allow_hyphen_values = true, help_heading = "Values")]
    pub set_string: Vec<String>,
    /// Set values to the contents of files: key1=path1 (repeatable)
    #[arg(long, value_name = "KEY=FILE", allow_hyphen_values = true, help_heading = "Values")]
    pub set_file: Vec<String>,
    /// Set values to JSON: key1={"a":1}, or one JSON object (repeatable)
    #[arg(long, value_name = "KEY=JSON", allow_hyphen_values = true, help_heading = "Values")]
    pub set_json: Vec<String>,
    /// Set one value to text taken as it is (repeatable)
    #[arg(long, value_name = "KEY=TEXT", allow_hyphen_values = true, help_heading = "Values")]
    pub set_literal: Vec<String>,
    /// Do not hold the values to values.schema.json
    #[arg(long, help_heading = "Values")]
    pub skip_schema_validation: bool,

    /// The namespace of the release
    #[arg(short, long, value_name = "NAME", default_value = "default", help_heading = "Release")]
    pub namespace: String,
    /// A template for the release's name, in place of NAME
    #[arg(long, value_name = "TEMPLATE", help_heading = "Release")]
    pub name_template: Option<String>,
    /// Set .Release.IsUpgrade instead of .Release.IsInstall
    #[arg(long, help_heading = "Release")]
    pub is_upgrade: bool,
    /// Pretend that the cluster is of this Kubernetes version
    #[arg(long, value_name = "VERSION", help_heading = "Cluster")]
    pub kube_version: Option<String>,
    /// Pretend that the cluster offers these API versions too (repeatable)
    #[arg(short, long, value_name = "VERSION", value_delimiter = ',', help_heading = "Cluster")]
    pub api_versions: Vec<String>,
    /// Make random functions (randAlphaNum, genCA, uuidv4, …) reproducible
    #[arg(long, value_name = "NUMBER", help_heading = "Release")]
    pub seed: Option<u64>,

    #[command(flatten)]
    ignored: Ignored,
}

/// Flags of `helm template` that have nothing to do here, accepted so that a script needs no change.
#[derive(Debug, clap::Args)]
struct Ignored {
    #[arg(long, hide = true)]
    debug: bool,
    #[arg(long, hide = true)]
    skip_crds: bool,
    #[arg(long, hide = true)]
    create_namespace: bool,
    #[arg(long, hide = true)]
    disable_openapi_validation: bool,
    #[arg(long, hide = true)]
    replace: bool,
    #[arg(long, hide = true)]
    hide_notes: bool,
    #[arg(long, hide = true)]
    render_subchart_notes: bool,
    #[arg(long, hide = true)]
    timeout: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true)]
    wait: Option<Option<String>>,
    #[arg(long, hide = true)]
    wait_for_jobs: bool,
    #[arg(long, hide = true)]
    description: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_parser = ["client", "true", "unset"])]
    dry_run: Option<Option<String>>,
}
