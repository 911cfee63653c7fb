//! The open edges, and the only spawner of tasks.
