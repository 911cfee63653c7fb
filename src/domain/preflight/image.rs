//! Whether the image is on a node, and under which digest.

use super::{Facts, Mark, Needs, NodeFacts, Row};
use crate::domain::settings::images::Parts;
use crate::domain::target::{Target, TargetKind};

/// So many images a kubelet tells of at most; what is not among them may be there all the same.
const TOLD: usize = 50;

/// The images that a sandbox can pull.
const PULLED: [&str; 2] = ["llmctl-executor-frontier", "llmctl-executor-vllm"];

pub(super) fn row(needs: &Needs, facts: &Facts, target: &Target) -> Row {
    let nodes = match &facts.nodes {
        Ok(nodes) => nodes,
        Err(why) => return Row::unknown("image", why),
    };
    let wanted = full(&needs.image);
    let parts = Parts::of(&wanted);
    let found = nodes.iter().find_map(|node| {
        let image = node
            .images
            .iter()
            .find(|names| names.iter().any(|name| full(name) == wanted))?;
        Some((node, image))
    });
    if let Some((node, names)) = found {
        return present(&needs.image, &parts, node, names);
    }
    let other = parts
        .digest
        .and_then(|_| digest_of(nodes, parts.repository));
    if let (Some(pinned), Some(digest)) = (parts.digest, other) {
        let says = format!(
            "the settings pin {}, a node has {}, so it will be pulled",
            short(pinned),
            short(&digest)
        );
        return Row::new("image", Mark::Warns, says).fixed_by(load(needs, target));
    }
    if nodes.iter().any(|node| node.images.len() >= TOLD) {
        let says = format!(
            "{} is not among the {TOLD} images that a node tells of",
            needs.image
        );
        return Row::new("image", Mark::Unknown, says);
    }
    let name = parts.repository.rsplit('/').next().unwrap_or_default();
    if target.kind == TargetKind::Sandbox && PULLED.contains(&name) {
        // It plays the first pull of these; that is no reason to warn.
        let says = format!("the sandbox can pull {}", needs.image);
        return Row::new("image", Mark::Ok, says);
    }
    // A kubelet tells of an image up to a minute after it was loaded.
    let says = format!("no node tells of {} yet: it will be pulled", needs.image);
    Row::new("image", Mark::Warns, says).fixed_by(load(needs, target))
}

/// It is there. One whose name has a tag and a digest is run by its digest: a node that has the tag under another one is told.
fn present(image: &str, wanted: &Parts, node: &NodeFacts, names: &[String]) -> Row {
    let on = format!("{image} is on {}", node.name);
    if wanted.digest.is_some() {
        return Row::new("image", Mark::Ok, on);
    }
    let digest = names.iter().find_map(|name| Parts::of(name).digest);
    let says = digest.map_or_else(|| on.clone(), |digest| format!("{on} as {}", short(digest)));
    Row::new("image", Mark::Ok, says)
}

fn digest_of(nodes: &[NodeFacts], repository: &str) -> Option<String> {
    nodes
        .iter()
        .flat_map(|node| node.images.iter().flatten())
        .find_map(|name| {
            let name = full(name);
            let parts = Parts::of(&name);
            (parts.repository == repository)
                .then(|| parts.digest.map(str::to_owned))
                .flatten()
        })
}

fn load(needs: &Needs, target: &Target) -> String {
    match target.kind {
        TargetKind::Minikube => format!(
            "minikube -p {} image load {} brings it there from this machine",
            target.name, needs.image
        ),
        TargetKind::Context => "load it into the node, or name another with --image".to_owned(),
        TargetKind::Sandbox => "the sandbox has the executor images and no others".to_owned(),
    }
}

/// The reference as a container runtime keeps it: with its registry, its tag, and by its digest when it has one.
fn full(image: &str) -> String {
    let parts = Parts::of(image);
    let repository = match parts.repository.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => {
            parts.repository.to_owned()
        }
        Some(_) => format!("docker.io/{}", parts.repository),
        None => format!("docker.io/library/{}", parts.repository),
    };
    match (parts.digest, parts.tag) {
        (Some(digest), _) => format!("{repository}@{digest}"),
        (None, tag) => format!("{repository}:{}", tag.unwrap_or("latest")),
    }
}

/// A digest that a person can compare by eye.
fn short(digest: &str) -> String {
    digest.chars().take("sha256:".len() + 12).collect()
}
