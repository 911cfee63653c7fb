//! Sample runs: what a person can start without a Studio.
