//! Executor settings: every key with its rule (contract 3).
