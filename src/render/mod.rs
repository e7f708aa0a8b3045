//! Charts and values to text: Go templates and Jinja.

pub mod any;
pub mod functions;
pub mod glob;
pub mod gotemplate;
pub mod jinja;
pub mod objects;
pub mod print;
pub mod strconv;

use crate::source::SourceMap;

/// A release as its templates see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// `.Release.Name`
    pub name: String,
    /// `.Release.Namespace`
    pub namespace: String,
    /// `.Release.Revision`, from 1
    pub revision: i64,
    /// `.Release.IsUpgrade`; an install where it is not
    pub is_upgrade: bool,
}

/// What a template became.
#[derive(Debug, Clone)]
pub struct RenderedFile {
    /// The template's name as Helm prints it: `workspace/templates/deployment.yaml`.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// What wrote each byte of it, where that was asked for.
    pub map: Option<SourceMap>,
}
