//! Dispatch: what a run needs, what is sent, and what comes of it.

mod check;
mod duplicates;
mod like;
mod payloads;
mod requests;
