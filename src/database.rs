//! A Studio's databases: its rows of settings and of runs, in PostgreSQL or SQLite, and the values that it encrypts.
//!
//! The only place with SQL. Plain domain types in and out; a connection is made over any stream that the caller opened.

pub mod address;
pub mod crypto;
pub mod error;
pub mod migration;
pub mod password;
pub mod postgres;
pub mod settings;
