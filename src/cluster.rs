//! Kubernetes: the only place with kube.
