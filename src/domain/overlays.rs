//! Overlays: what they hold and how they differ from the cluster.
