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
