//! A renderer of kustomizations: what `kubectl kustomize DIR` prints, as JSON objects in the same order.
//!
//! Pure over a function that reads files, so the overlays inside the program and those on disk take the same way. What
//! it does not know it refuses by name; nothing is skipped in silence. The stages and their order are kustomize's:
//! resources, generators, patches, namespace, names, labels, annotations, JSON patches, replicas, images; then, once at
//! the top, hashes of generated names, references to names, the order of kinds.

mod generate;
mod hash;
mod images;
mod labels;
mod load;
mod names;
mod order;
mod patches;
mod references;
mod resource;
mod selector;
mod source;
mod spec;
mod strategic;

pub(in crate::files) use spec::FILE_NAMES;

use crate::domain::overlays::Problem;
use resource::Resource;
use serde_json::Value;
use source::Source;
use std::io;

/// Reads one file by its `/`-separated path. A directory is an error like a missing file.
pub type Read<'a> = dyn Fn(&str) -> io::Result<Vec<u8>> + 'a;

/// What a kustomization came to.
#[derive(Debug)]
pub struct Rendering {
    /// The objects in the order of `kubectl kustomize`.
    pub result: Result<Vec<Value>, Problem>,
    /// Every file that was looked for, also those that were missing: when one of them changes, so may the result.
    pub files: Vec<String>,
}

/// Renders the kustomization in directory `dir`.
pub fn render(dir: &str, read: &Read<'_>) -> Rendering {
    let mut source = Source::new(read);
    let result = build(&mut source, dir);
    Rendering {
        result,
        files: source.into_files(),
    }
}

fn build(source: &mut Source<'_>, dir: &str) -> Result<Vec<Value>, Problem> {
    let dir = source::join(dir, ".");
    let (spec, mut resources) = accumulate(source, &dir, &mut Vec::new())?;
    for resource in &mut resources {
        hash::suffix(resource);
    }
    references::update(&mut resources)?;
    resources.retain(|resource| !resource.is_local_config());
    if spec.keeps_order()? {
        return Ok(resources.into_iter().map(|r| r.value).collect());
    }
    order::legacy(&mut resources);
    Ok(resources.into_iter().map(|r| r.value).collect())
}

/// One kustomization with all it builds on, names and hashes not settled yet.
fn accumulate(
    source: &mut Source<'_>,
    dir: &str,
    above: &mut Vec<String>,
) -> Result<(spec::Loaded, Vec<Resource>), Problem> {
    let loaded = spec::load(source, dir)?;
    if above.iter().any(|one| one == dir) {
        return Err(loaded.problem(
            format!(
                "includes itself: {}",
                [above.as_slice(), &[dir.to_owned()]].concat().join(" → ")
            ),
            "take one of these directories out of `resources`",
        ));
    }
    above.push(dir.to_owned());
    let mut all: Vec<Resource> = Vec::new();
    for entry in loaded.resources() {
        for resource in load::entry(source, &loaded, entry, above)? {
            if let Some(twin) = all.iter().find(|one| one.id() == resource.id()) {
                return Err(loaded.problem(
                    format!(
                        "{} is in `resources` twice, by {} and {}",
                        resource.id(),
                        twin.file,
                        resource.file
                    ),
                    "take one of them out, or give them different names or namespaces",
                ));
            }
            all.push(resource);
        }
    }
    above.pop();
    generate::run(source, &loaded, &mut all)?;
    patches::first(source, &loaded, &mut all)?;
    names::namespace(&loaded, &mut all)?;
    names::affixes(&loaded, &mut all);
    labels::labels(&loaded, &mut all);
    labels::annotations(&loaded, &mut all);
    patches::last(source, &loaded, &mut all)?;
    images::replicas(&loaded, &mut all)?;
    images::images(&loaded, &mut all)?;
    Ok((loaded, all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: '1'}\n";

    const K: &str = "d/kustomization.yaml";

    /// Files, and what the problem says.
    const CASES: &[(&[(&str, &str)], &str)] = &[
        (&[], "d: has no kustomization file; create"),
        (
            &[(K, "# only a comment\n")],
            "d/kustomization.yaml: is empty",
        ),
        (
            &[(K, "resources: [c.yaml]\n")],
            "`c.yaml` is neither a file nor a directory",
        ),
        (
            &[(K, "resources: [../c.yaml]\n"), ("c.yaml", MAP)],
            "`../c.yaml` is a file outside d",
        ),
        (
            &[(K, "resources: ['https://h/x']\n")],
            "is not on this machine",
        ),
        (&[(K, "resources: [.]\n")], "includes itself: d → d"),
        (
            &[(K, "resources: []\nvars: []\n")],
            "d/kustomization.yaml:2: unknown field `vars`",
        ),
        (
            &[(K, "images:\n- name: a\n  newtag: b\n")],
            "d/kustomization.yaml:3: unknown field `newtag`",
        ),
        (&[(K, "resources: [\n")], "correct the YAML"),
        (&[(K, "kind: Component\n")], "is a `Component`"),
        (
            &[
                (K, "resources: []\n"),
                ("d/kustomization.yml", "resources: []\n"),
            ],
            "keep one kustomization file",
        ),
        (
            &[
                (K, "resources: [c.yaml]\n"),
                ("d/c.yaml", "kind: ConfigMap\n"),
            ],
            "d/c.yaml: ConfigMap has no apiVersion",
        ),
        (
            &[
                (K, "resources: [c.yaml]\n"),
                ("d/c.yaml", "apiVersion: v1\nkind: ConfigMap\n"),
            ],
            "has no metadata.name",
        ),
        (
            &[
                (K, "resources: [c.yaml, e.yaml]\n"),
                ("d/c.yaml", MAP),
                ("d/e.yaml", MAP),
            ],
            "ConfigMap/c in namespace default is in `resources` twice",
        ),
        (
            &[(K, "patches: [{patch: '{}', path: x}]\n")],
            "exactly one of `path` and `patch`",
        ),
        (
            &[(K, "patches: [{path: x.yaml}]\n")],
            "`x.yaml` does not exist",
        ),
        (&[(K, "patches: [{patch: '[]'}]\n")], "has no target"),
        (
            &[(K, "patches: [{patch: 'word', target: {kind: A}}]\n")],
            "neither an object nor a list",
        ),
        (
            &[(K, "patches: [{patch: '{}', target: {name: '('}}]\n")],
            "`(` in a patch target",
        ),
        (
            &[(
                K,
                "patches: [{patch: '{apiVersion: v1, kind: Secret, metadata: {name: s}}'}]\n",
            )],
            "a patch is for Secret/s in namespace default, which is not there",
        ),
        (
            &[
                (
                    K,
                    "resources: [c.yaml]\npatches: [{patch: '[{op: remove, path: /data/b}]', target: {kind: ConfigMap}}]\n",
                ),
                ("d/c.yaml", MAP),
            ],
            "operation 1 of a JSON patch fails on ConfigMap/c",
        ),
        (
            &[(K, "replicas: [{name: x, count: 1}]\n")],
            "`replicas` names `x`",
        ),
        (
            &[(K, "configMapGenerator: [{name: g, literals: [hunter2]}]\n")],
            "a literal of generator `g` is not KEY=VALUE",
        ),
        (
            &[(K, "configMapGenerator: [{name: g, literals: [a=1, a=2]}]\n")],
            "has the key `a` twice",
        ),
        (
            &[(K, "configMapGenerator: [{name: g, behavior: merge}]\n")],
            "there is no ConfigMap/g",
        ),
        (
            &[
                (K, "configMapGenerator: [{name: g, envs: [e]}]\n"),
                ("d/e", "A=1\n=2\n"),
            ],
            "d/e:2: does not start with a variable name",
        ),
        (
            &[(K, "sortOptions: {order: random}\n")],
            "sortOptions.order is `random`",
        ),
    ];

    fn rendered(files: &[(&str, &str)]) -> Rendering {
        let files: BTreeMap<String, String> = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect();
        render("d", &move |path: &str| {
            files
                .get(path)
                .map(|text| text.clone().into_bytes())
                .ok_or_else(|| io::ErrorKind::NotFound.into())
        })
    }

    #[test]
    fn every_mistake_names_its_file_and_the_next_step() {
        for (files, wanted) in CASES {
            let problem = rendered(files).result.unwrap_err();
            let text = problem.to_string();
            assert!(text.contains(wanted), "wanted {wanted:?} in {text:?}");
            assert!(!problem.next.is_empty() && !text.contains('\n'), "{text:?}");
            assert!(!text.contains("hunter2"));
        }
    }

    #[test]
    fn missing_files_are_remembered_too() {
        let rendering = rendered(&[("d/kustomization.yaml", "resources: [c.yaml]\n")]);
        assert!(
            rendering.files.contains(&"d/c.yaml".to_owned()),
            "{:?}",
            rendering.files
        );
    }
}
