//! The embedded cluster: an in-process Kubernetes API.
