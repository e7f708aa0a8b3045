//! plimsoll renders Kubernetes charts and refuses unsafe ones.
//!
//! The library behind the binary of the same name; `docs/architecture.md` shows its layers. Nothing here prints or
//! ends the process: that is the command line's.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod admission;
pub mod baseline;
pub mod bounded;
pub mod cel;
pub mod chart;
pub mod check;
pub mod cli;
pub mod cluster;
pub mod committed;
pub mod credential;
pub mod delta;
pub mod diff;
pub mod finding;
pub mod fingerprint;
pub mod gate;
pub mod git;
pub mod infer;
pub mod json;
pub mod json_schema;
pub mod kinds;
pub mod manifest;
pub mod number;
pub mod parallel;
pub mod policy;
pub mod project;
pub mod re2;
pub mod render;
pub mod report;
pub mod repository;
pub mod schema;
pub mod semver;
pub mod serve;
pub mod signals;
pub mod source;
pub mod suggest;
pub mod usage;
pub mod value;
pub mod values;
pub mod yaml;
