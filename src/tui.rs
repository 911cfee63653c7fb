//! The loop: message, update, effects, draw when idle.
