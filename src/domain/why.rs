//! The why card of a run: what holds it up or how it ended in one sentence, what it said last, and the command to type next.

mod ended;
mod shell;
mod waiting;

use super::contract::Line;
use super::runs::{Contact, Phase, Run};
use super::target::{Target, TargetKind};
use super::verdict::Verdict;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shell::word;

/// Characters of the last line that are shown.
const LAST_LINE: usize = 300;

/// A step that others take in less than this is worth a look.
const SLOW: SignedDuration = SignedDuration::from_secs(5);

/// Why a run is as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Why {
    /// One sentence; the same as [`Run::why`].
    pub sentence: String,
    /// The command line that mends it, or that shows what has to be mended; none where nothing is wrong.
    pub fix: Option<String>,
    /// The last line that the work itself wrote, where it ended badly.
    pub last_line: Option<String>,
}

impl Why {
    /// The card of `run` at `now`; commands are written for `target`.
    pub fn of(run: &Run, target: &Target, now: Timestamp) -> Self {
        let place = Place { run, target };
        let unwell = !matches!(run.verdict, Verdict::Pending | Verdict::Success);
        Self {
            sentence: run.why.clone(),
            fix: match run.verdict {
                Verdict::Pending => match run.phase {
                    Phase::Queued | Phase::Pending => {
                        waiting::fix(&place, &run.reason).or_else(|| waiting::slow(&place, now))
                    }
                    Phase::Running | Phase::Started => run
                        .pod
                        .as_ref()
                        .filter(|pod| pod.contact == Contact::Lost)
                        .map(|_| place.describe_node()),
                    _ => None,
                },
                Verdict::Success => None,
                _ => ended::fix(&place),
            },
            last_line: unwell.then(|| last_line(run)).flatten(),
        }
    }
}

/// Where a command would be typed: the run it is about, and its cluster.
struct Place<'a> {
    run: &'a Run,
    target: &'a Target,
}

impl Place<'_> {
    /// `kubectl` with the context and namespace of the run.
    fn kubectl(&self, rest: &str) -> String {
        kubectl(self.target, &self.run.namespace, rest)
    }

    /// This program on the same cluster and namespace; what it takes by itself is left out.
    fn own(&self, rest: &str) -> String {
        let target = match self.target.kind {
            TargetKind::Sandbox => "--sandbox ".to_owned(),
            TargetKind::Minikube if self.target.name == "llmctl" => String::new(),
            TargetKind::Minikube => format!("--profile {} ", word(&self.target.name)),
            TargetKind::Context => format!("--context {} ", word(&self.target.name)),
        };
        let namespace = match self.run.namespace.as_str() {
            "llmctl" => String::new(),
            other => format!("-n {} ", word(other)),
        };
        format!("llmctl-dev {target}{namespace}{rest}")
    }

    /// A verb of `runs` about this run.
    fn runs(&self, verb: &str) -> String {
        self.own(&format!("runs {verb} {}", word(&self.run.label())))
    }

    /// The sample once more with another option; none for a run that is not of a sample.
    fn again(&self, options: &str) -> Option<String> {
        let sample = word(self.run.sample.as_deref()?);
        Some(self.own(format!("run {sample} {options}").trim_end()))
    }

    /// `minikube` on the profile of the run; none on another cluster.
    fn minikube(&self, rest: &str) -> Option<String> {
        (self.target.kind == TargetKind::Minikube)
            .then(|| format!("minikube -p {} {rest}", word(&self.target.name)))
    }

    fn node(&self) -> Option<&str> {
        let node = &self.run.pod.as_ref()?.node;
        (!node.is_empty()).then_some(node.as_str())
    }

    /// The node, with who holds what of it and what it complains of.
    fn describe_node(&self) -> String {
        match self.node() {
            Some(node) => self.kubectl(&format!("describe node {}", word(node))),
            None => self.kubectl("describe nodes"),
        }
    }

    fn describe_pod(&self) -> String {
        match &self.run.pod {
            Some(pod) if !pod.gone => self.kubectl(&format!("describe pod {}", word(&pod.name))),
            _ => self.kubectl(&format!("describe job {}", word(&self.run.job))),
        }
    }
}

/// A `kubectl` command line about a namespace. A served sandbox answers to the context that it printed, so that none is named.
fn kubectl(target: &Target, namespace: &str, rest: &str) -> String {
    let namespace = word(namespace);
    match target.kind {
        TargetKind::Sandbox => format!("kubectl -n {namespace} {rest}"),
        TargetKind::Minikube | TargetKind::Context => {
            format!(
                "kubectl --context {} -n {namespace} {rest}",
                word(&target.name)
            )
        }
    }
}

/// What `kubectl` shows of a run on its tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Job,
    Log,
    Result,
    Events,
    Manifest,
}

/// The `kubectl` command line that shows this part of a run.
pub fn kubectl_for(run: &Run, target: &Target, part: Part) -> String {
    let job = word(&run.job);
    let pod = run.pod.as_ref().map(|pod| word(&pod.name));
    let log = match &pod {
        Some(pod) => format!("logs {pod} -c executor"),
        None => format!("logs job/{job} -c executor"),
    };
    let rest = match part {
        Part::Job => format!("describe job {job}"),
        Part::Log => format!("{log} --timestamps"),
        Part::Result => format!("{log} | grep '^LLMCTL_EXECUTOR_RESULT_JSON='"),
        Part::Events => format!(
            "get events --sort-by=.lastTimestamp --field-selector involvedObject.name={}",
            pod.unwrap_or(job)
        ),
        Part::Manifest => format!("get job {job} -o yaml"),
    };
    kubectl(target, &run.namespace, &rest)
}

/// The last line of output: of what the executor captured, its standard error first, else of the log.
fn last_line(run: &Run) -> Option<String> {
    let captured = run.executor.as_ref().and_then(|result| {
        ["stderr", "stdout"]
            .into_iter()
            .find_map(|stream| last_of(result.raw.get(stream)?.as_str()?.lines()))
    });
    captured.or_else(|| last_of(run.log.lines().map(|(_, line)| line.text.as_str())))
}

fn last_of<'a>(lines: impl DoubleEndedIterator<Item = &'a str>) -> Option<String> {
    let line = lines
        .rev()
        .find(|line| !line.trim().is_empty() && Line::of(line) == Line::Output)?;
    let line = line.trim();
    let mut chars = line.chars();
    let mut cut: String = chars.by_ref().take(LAST_LINE).collect();
    if chars.next().is_some() {
        cut.push('…');
    }
    Some(cut)
}

#[cfg(test)]
mod tests;
