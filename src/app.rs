//! State, messages, effects and the one update function.
