//! Names of the Kubernetes objects of a run (contract 4.1).
