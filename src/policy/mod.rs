//! Policies: files that Kubernetes itself understands, evaluated offline.

pub mod cel;
