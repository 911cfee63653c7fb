//! Kubernetes' ways to merge JSON documents: pure.
