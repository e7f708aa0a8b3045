//! APIs that Kubernetes has deprecated or removed.
