//! Charts and values to text: Go templates and Jinja.

pub mod any;
pub mod functions;
pub mod gotemplate;
pub mod objects;
pub mod print;
pub mod strconv;
