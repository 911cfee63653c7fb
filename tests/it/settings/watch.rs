//! The watcher on the real file system.

use llmctl_dev::files::watch::{Change, Changes, Subject, Watch, open};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The next change of the subject; those of others are passed over.
async fn next(changes: &mut Changes, subject: Subject) -> Change {
    let wait = async {
        loop {
            let change = changes.next().await.unwrap();
            if change.subject == subject {
                return change;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait)
        .await
        .expect("a change was not seen")
}

/// Makes a change elsewhere and takes everything up to it: what came before is all there was.
async fn all_until_marker(watch: &Watch, changes: &mut Changes, root: &Path) -> Vec<Change> {
    let marker = root.join("marker");
    watch.file(&marker, Subject::ToolConfig).unwrap();
    fs::write(&marker, "x").unwrap();
    let mut before = Vec::new();
    loop {
        let next = tokio::time::timeout(Duration::from_secs(20), changes.next());
        match next.await.expect("the marker was not seen").unwrap() {
            change if change.subject == Subject::ToolConfig => return before,
            change => before.push(change),
        }
    }
}

fn replace(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::rename(&beside, path).unwrap();
}

#[tokio::test]
async fn saves_of_every_kind_are_seen_one_after_the_other() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("executor.toml");
    let (watch, mut changes) = open().unwrap();
    watch.file(&file, Subject::Settings).unwrap();
    // Made, written in place, replaced by rename twice (a watch on the file dies at the first), removed, made anew.
    fs::write(&file, "a").unwrap();
    assert!(
        next(&mut changes, Subject::Settings)
            .await
            .paths
            .contains(&file)
    );
    fs::write(&file, "b").unwrap();
    next(&mut changes, Subject::Settings).await;
    for text in ["c", "d"] {
        replace(&file, text);
        next(&mut changes, Subject::Settings).await;
    }
    fs::remove_file(&file).unwrap();
    next(&mut changes, Subject::Settings).await;
    fs::write(&file, "e").unwrap();
    next(&mut changes, Subject::Settings).await;
}

#[tokio::test]
async fn reading_and_other_files_are_no_change() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("executor.toml");
    fs::write(&file, "a").unwrap();
    let (watch, mut changes) = open().unwrap();
    watch.file(&file, Subject::Settings).unwrap();
    fs::read(&file).unwrap();
    fs::read_dir(root.path()).unwrap().count();
    fs::write(root.path().join("other"), "x").unwrap();
    let seen = all_until_marker(&watch, &mut changes, root.path()).await;
    assert_eq!(seen, []);
}

#[tokio::test]
async fn a_directory_that_is_not_there_yet_is_seen_when_it_comes() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("config/llmctl-dev/executor.toml");
    let (watch, mut changes) = open().unwrap();
    watch.file(&file, Subject::Settings).unwrap();
    fs::create_dir(root.path().join("config")).unwrap();
    next(&mut changes, Subject::Settings).await;
    fs::create_dir(root.path().join("config/llmctl-dev")).unwrap();
    next(&mut changes, Subject::Settings).await;
    fs::write(&file, "a").unwrap();
    assert!(
        next(&mut changes, Subject::Settings)
            .await
            .paths
            .contains(&file)
    );
}

#[tokio::test]
async fn the_file_behind_a_link_is_seen() {
    let root = tempfile::tempdir().unwrap();
    let (real, link) = (
        root.path().join("dotfiles/e.toml"),
        root.path().join("config/e.toml"),
    );
    fs::create_dir(root.path().join("dotfiles")).unwrap();
    fs::create_dir(root.path().join("config")).unwrap();
    fs::write(&real, "a").unwrap();
    std::os::unix::fs::symlink("../dotfiles/e.toml", &link).unwrap();
    let (watch, mut changes) = open().unwrap();
    watch.file(&link, Subject::Settings).unwrap();
    replace(&real, "b");
    next(&mut changes, Subject::Settings).await;
    assert_eq!(fs::read_to_string(&link).unwrap(), "b");
}

#[tokio::test]
async fn a_tree_is_seen_to_its_leaves_and_again_after_it_was_made_anew() {
    let root = tempfile::tempdir().unwrap();
    let tree = root.path().join("overlays");
    fs::create_dir_all(tree.join("minikube")).unwrap();
    let (watch, mut changes) = open().unwrap();
    watch.tree(&tree, Subject::Overlays).unwrap();
    let leaf = tree.join("minikube/kustomization.yaml");
    fs::write(&leaf, "a").unwrap();
    assert!(
        next(&mut changes, Subject::Overlays)
            .await
            .paths
            .contains(&leaf)
    );
    let new = tree.join("new");
    fs::create_dir(&new).unwrap();
    next(&mut changes, Subject::Overlays).await;
    fs::write(new.join("x.yaml"), "a").unwrap();
    next(&mut changes, Subject::Overlays).await;
}
