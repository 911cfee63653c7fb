//! What a run needs of its cluster, looked at before anything is created: rows that pass, warn or refuse, each with its fix.

mod image;
mod quota;
#[cfg(test)]
mod tests;

use super::manifest::{RunPlan, RunSettings};
use super::target::{Target, TargetKind};
use jiff::SignedDuration;
use serde::Serialize;
use std::collections::BTreeMap;

/// A clock that is further off than this is worth a warning. The API server tells its time in whole seconds.
const SKEW: SignedDuration = SignedDuration::from_secs(5);

/// The namespace that the overlay `executor` makes.
const OVERLAY_NAMESPACE: &str = "llmctl";

/// Something that was looked at, or why it could not be.
pub type Known<T> = Result<T, String>;

/// What was seen in a cluster, for every run in one namespace with one account.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    pub namespace: Known<Presence>,
    /// The account of the settings, else `default`, is there.
    pub account: Known<bool>,
    pub nodes: Known<Vec<NodeFacts>>,
    pub quotas: Known<Vec<QuotaFacts>>,
    /// This machine's clock minus the API server's; absent when the server did not tell its time.
    pub skew: Option<SignedDuration>,
    /// The checkout is at its path on the node; absent when that cannot be looked at from here.
    pub live_code: Option<bool>,
}

/// Where to look: what does not differ between runs of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub namespace: String,
    pub account: String,
    /// Path of the checkout on the node, where live code is on.
    pub live_code: Option<String>,
}

impl Place {
    /// Where runs with these settings go.
    pub fn of(settings: &RunSettings) -> Self {
        Self {
            namespace: settings.namespace.clone(),
            account: account_of(settings.service_account.as_deref()),
            live_code: settings.live_code_path.clone(),
        }
    }
}

/// The account of a pod that names none is `default`.
fn account_of(named: Option<&str>) -> String {
    named.unwrap_or("default").to_owned()
}

/// Whether an object is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    There,
    /// It is being removed.
    Going,
    Missing,
}

/// A node as far as a run cares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeFacts {
    pub name: String,
    pub ready: bool,
    /// Not cordoned.
    pub schedulable: bool,
    /// The names of each image, tags and digests alike. A kubelet tells at most 50 images.
    pub images: Vec<Vec<String>>,
    /// Allocatable `nvidia.com/gpu`.
    pub gpus: u64,
}

/// A quota's limits and what is used of them, as Kubernetes quantities by resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuotaFacts {
    pub name: String,
    pub hard: BTreeMap<String, String>,
    pub used: BTreeMap<String, String>,
}

/// What one run needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    pub namespace: String,
    pub account: String,
    pub image: String,
    pub gpu: u32,
    /// It runs Python code of the Studio backend.
    pub node: bool,
    /// Host path of the checkout, when it is mounted.
    pub live_code: Option<String>,
    /// What it takes of a quota: resource and quantity.
    takes: Vec<(&'static str, String)>,
}

impl Needs {
    /// What the objects of `plan` need.
    pub fn of(plan: &RunPlan) -> Self {
        let spec = &plan.job["spec"]["template"]["spec"];
        let volumes = spec["volumes"].as_array().map_or(&[][..], Vec::as_slice);
        let live_code = volumes
            .iter()
            .find(|volume| volume["name"] == "project-code")
            .and_then(|volume| volume["hostPath"]["path"].as_str());
        let limits = &spec["containers"][0]["resources"]["limits"];
        let gpu = limits["nvidia.com/gpu"].as_str();
        Self {
            namespace: plan.namespace.clone(),
            account: account_of(spec["serviceAccountName"].as_str()),
            image: plan.image.clone(),
            gpu: gpu.and_then(|gpu| gpu.parse().ok()).unwrap_or_default(),
            node: plan.payload.0.get("node_execution").is_some(),
            live_code: live_code.map(str::to_owned),
            takes: quota::takes(&spec["containers"][0]["resources"]),
        }
    }
}

/// How a row came out. The word in documents is the lower-case name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    Ok,
    /// It may work; the row says what to expect.
    Warns,
    /// It cannot work.
    Refuses,
    /// It could not be looked at.
    Unknown,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    pub name: &'static str,
    pub mark: Mark,
    /// What was found, in one sentence without its full stop.
    pub says: String,
    /// The command or the key that mends it.
    pub fix: Option<String>,
}

impl Row {
    fn new(name: &'static str, mark: Mark, says: impl Into<String>) -> Self {
        Self {
            name,
            mark,
            says: says.into(),
            fix: None,
        }
    }

    fn fixed_by(self, fix: impl Into<String>) -> Self {
        Self {
            fix: Some(fix.into()),
            ..self
        }
    }

    fn unknown(name: &'static str, why: &str) -> Self {
        Self::new(name, Mark::Unknown, format!("cannot be looked at: {why}"))
    }

    /// The row as one line: what was found, and what mends it.
    pub fn sentence(&self) -> String {
        match &self.fix {
            Some(fix) => format!("{}: {fix}", self.says),
            None => self.says.clone(),
        }
    }
}

/// All rows of one look, in the order in which they matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Preflight {
    pub rows: Vec<Row>,
}

impl Preflight {
    /// Judges what was seen by what a run needs.
    pub fn of(needs: &Needs, facts: &Facts, target: &Target) -> Self {
        let mut rows = vec![
            namespace(needs, facts),
            account(needs, facts),
            nodes(facts),
            image::row(needs, facts, target),
            quota::row(needs, facts),
            gpu(needs, facts),
            clock(facts),
        ];
        if needs.node {
            rows.push(live_code(needs, facts, target));
        }
        Self { rows }
    }

    /// The first row that refuses.
    pub fn refusal(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.mark == Mark::Refuses)
    }

    /// The rows that warn.
    pub fn warnings(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.mark == Mark::Warns)
    }

    /// Rows that a person should read: what refuses first, then what warns.
    pub fn remarks(&self) -> impl Iterator<Item = &Row> {
        let with = |mark: Mark| self.rows.iter().filter(move |row| row.mark == mark);
        with(Mark::Refuses)
            .chain(with(Mark::Warns))
            .chain(with(Mark::Unknown))
    }
}

/// The command that makes a namespace fit for runs: the overlay `executor` makes its own one with the account in it.
pub fn makes_namespace(namespace: &str) -> String {
    if namespace == OVERLAY_NAMESPACE {
        "llmctl-dev overlays apply executor".to_owned()
    } else {
        format!("kubectl create namespace {namespace}")
    }
}

fn makes_account(namespace: &str, account: &str) -> String {
    let makes = if namespace == OVERLAY_NAMESPACE && account == "llmctl-executor" {
        makes_namespace(namespace)
    } else {
        format!("kubectl -n {namespace} create serviceaccount {account}")
    };
    format!("{makes}, or llmctl-dev settings unset k8s_service_account")
}

fn namespace(needs: &Needs, facts: &Facts) -> Row {
    let name = &needs.namespace;
    match &facts.namespace {
        Ok(Presence::There) => Row::new("namespace", Mark::Ok, name),
        Ok(Presence::Going) => Row::new(
            "namespace",
            Mark::Refuses,
            format!("{name} is being removed"),
        )
        .fixed_by("wait until it is gone, then make it again"),
        Ok(Presence::Missing) => {
            Row::new("namespace", Mark::Refuses, format!("{name} is not there"))
                .fixed_by(makes_namespace(name))
        }
        Err(why) => Row::unknown("namespace", why),
    }
}

fn account(needs: &Needs, facts: &Facts) -> Row {
    let name = &needs.account;
    match &facts.account {
        Ok(true) => Row::new("service account", Mark::Ok, name),
        // A namespace has its default account a moment after it was made.
        Ok(false) if name == "default" => Row::new(
            "service account",
            Mark::Warns,
            format!("{name} is not there yet, and no pod is made before it is"),
        ),
        Ok(false) => Row::new(
            "service account",
            Mark::Refuses,
            format!("{name} is not there, and no pod is made without it"),
        )
        .fixed_by(makes_account(&needs.namespace, name)),
        Err(why) => Row::unknown("service account", why),
    }
}

fn nodes(facts: &Facts) -> Row {
    let nodes = match &facts.nodes {
        Ok(nodes) => nodes,
        Err(why) => return Row::unknown("node", why),
    };
    let usable: Vec<&NodeFacts> = nodes
        .iter()
        .filter(|node| node.ready && node.schedulable)
        .collect();
    match (&usable[..], &nodes[..]) {
        ([one], _) => Row::new("node", Mark::Ok, format!("{} is ready", one.name)),
        ([_, ..], _) => Row::new("node", Mark::Ok, format!("{} are ready", usable.len())),
        ([], []) => Row::new("node", Mark::Warns, "there is none"),
        ([], [first, ..]) if first.ready => {
            Row::new("node", Mark::Warns, format!("{} is cordoned", first.name))
                .fixed_by(format!("kubectl uncordon {}", first.name))
        }
        ([], [first, ..]) => Row::new("node", Mark::Warns, format!("{} is not ready", first.name))
            .fixed_by(format!("kubectl describe node {} says why", first.name)),
    }
}

fn gpu(needs: &Needs, facts: &Facts) -> Row {
    let nodes = match &facts.nodes {
        Ok(nodes) => nodes,
        Err(_) if needs.gpu == 0 => return Row::new("GPU", Mark::Ok, "none asked for"),
        Err(why) => return Row::unknown("GPU", why),
    };
    let most = nodes.iter().map(|node| node.gpus).max().unwrap_or_default();
    let asked = needs.gpu;
    if u64::from(asked) <= most {
        return Row::new("GPU", Mark::Ok, format!("{asked} of {most}"));
    }
    Row::new(
        "GPU",
        Mark::Warns,
        format!("{asked} of {most}: no node has so many, the run would wait until its deadline"),
    )
    .fixed_by("--gpu 0, or llmctl-dev settings set k8s_gpu_limit=0")
}

fn clock(facts: &Facts) -> Row {
    let Some(skew) = facts.skew else {
        return Row::new(
            "clock",
            Mark::Unknown,
            "the API server does not tell its time",
        );
    };
    let seconds = skew.abs().as_secs();
    if skew.abs() <= SKEW {
        return Row::new("clock", Mark::Ok, "as the API server's");
    }
    let way = if skew.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    Row::new(
        "clock",
        Mark::Warns,
        format!("this machine is {seconds} s {way} the API server: ages and countdowns are wrong by that"),
    )
    .fixed_by("set the clock of whichever is wrong (timedatectl set-ntp true)")
}

fn live_code(needs: &Needs, facts: &Facts, target: &Target) -> Row {
    let Some(path) = &needs.live_code else {
        // Both executor images come without the backend's code (W36).
        return Row::new(
            "live code",
            Mark::Warns,
            "off: a node fails on its import unless the image brings the backend's code",
        )
        .fixed_by("llmctl-dev settings set k8s_live_code_enabled=true");
    };
    match facts.live_code {
        Some(true) => Row::new("live code", Mark::Ok, format!("{path} is on the node")),
        Some(false) => Row::new(
            "live code",
            Mark::Refuses,
            format!("{path} is not on the node, and the pod would wait for it in vain"),
        )
        .fixed_by(match target.kind {
            TargetKind::Minikube => format!(
                "minikube -p {} mount <checkout>:{path}, or llmctl-dev settings set k8s_live_code_enabled=false",
                target.name
            ),
            _ => "llmctl-dev settings set k8s_live_code_host_path=<path>".to_owned(),
        }),
        None => Row::new(
            "live code",
            Mark::Unknown,
            format!("whether {path} is on the node cannot be looked at from here"),
        ),
    }
}
