//! Makes text from a cluster or a log harmless to a terminal.
