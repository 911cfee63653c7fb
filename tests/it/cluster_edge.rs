//! The Kubernetes edge: against a scripted server for faults, and against a real cluster where there is one.

mod fake;
mod on_a_cluster;
mod on_the_sandbox;
