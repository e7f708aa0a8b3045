//! Charts and values to text: Go templates and Jinja.

pub mod any;
pub mod functions;
