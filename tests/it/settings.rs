//! The executor settings through the files, the watcher and the real program.

mod cli;
mod exchange;
mod fixtures;
mod push;
mod watch;
mod weaknesses;
