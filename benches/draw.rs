//! Benches of what the program does.
fn main() {
    divan::main();
}
