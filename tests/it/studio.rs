//! Studio's settings in a real PostgreSQL: reading, writing, and everything that can come between.

mod cli;
mod rows;
mod stack;
mod weaknesses;
