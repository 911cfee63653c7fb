//! Each weakness of the Python dispatcher and executor (contract 6.5, W1 to W36 and W58) has a test that is named after it.

use std::collections::BTreeSet;
use std::path::Path;

/// The numbers that the name of a test begins with: `w1_w17_…` is of W1 and W17.
fn named(line: &str) -> Vec<u32> {
    let Some((_, name)) = line.split_once("fn ") else {
        return Vec::new();
    };
    let numbers = name.split(['_', '(']);
    let number = |word: &str| word.strip_prefix('w')?.parse().ok();
    numbers.map_while(number).collect()
}

fn collect(directory: &Path, found: &mut BTreeSet<u32>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let mut test = false;
            for line in text.lines().map(str::trim) {
                if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                    test = true;
                } else if line.contains("fn ") && std::mem::take(&mut test) {
                    found.extend(named(line));
                }
            }
        }
    }
}

#[test]
fn every_weakness_has_a_test_that_is_named_after_it() {
    assert_eq!(named("async fn w1_w17_the_clock() {"), [1, 17]);
    assert_eq!(named("fn what_w1_does() {"), [0; 0]);
    let mut found = BTreeSet::new();
    for directory in ["src", "tests"] {
        collect(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(directory),
            &mut found,
        );
    }
    let missing: Vec<u32> = (1..=36)
        .chain([58])
        .filter(|n| !found.contains(n))
        .collect();
    assert!(missing.is_empty(), "W{missing:?} has no test");
}
