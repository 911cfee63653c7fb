//! What is to be run: a sample, a node type or a payload of the person's own, changed by `--set`.

use super::Args;
use crate::cli::exit::Failure;
use crate::cli::output;
use crate::cli::session::Setup;
use crate::domain::manifest::asked::Asked;
use crate::domain::manifest::{RunOptions, RunPlan, RunSettings, plan_run};
use crate::domain::nodes::{NodeType, TYPES};
use crate::domain::payload::check::Problem;
use crate::domain::payload::own::{self, Own};
use crate::domain::payload::set::set;
use crate::domain::samples::Sample;
use crate::files::{payload, samples};
use std::path::Path;

/// The word that stands before a node type.
const NODE: &str = "node";

/// A run with every choice made but its number.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    sample: Sample,
    options: RunOptions,
    settings: RunSettings,
    /// The number that the person or the payload names; without one the next free number is taken.
    pub(super) execution: Option<u64>,
    pub(super) index: u64,
}

impl Wanted {
    /// Reads what the arguments name.
    ///
    /// # Errors
    /// Every problem of the payload at once; no sample or type of that name.
    pub(super) fn read(setup: &Setup, args: &Args, settings: RunSettings) -> Result<Self, Failure> {
        let (sample, document) = document(setup, args)?;
        let own = document
            .map(|document| Own::new(&sample, document))
            .transpose()
            .map_err(|problems| told(&problems))?;
        Self::of(sample, own, RunOptions::default(), args, settings)
    }

    /// What a run before asked for, changed by the arguments.
    ///
    /// # Errors
    /// Every problem of the payload at once.
    pub(super) fn like(asked: Asked, args: &Args, settings: RunSettings) -> Result<Self, Failure> {
        let mut own = asked.payload;
        if !args.set.is_empty() {
            let mut document = own.sent().0;
            changed(&mut document, args)?;
            own = Own::new(own.sample(), document).map_err(|problems| told(&problems))?;
        }
        Self::of(asked.base, Some(own), asked.options, args, settings)
    }

    /// The arguments go before what was `chosen`.
    ///
    /// # Errors
    /// Every problem of the payload at once.
    pub(super) fn of(
        sample: Sample,
        own: Option<Own>,
        chosen: RunOptions,
        args: &Args,
        settings: RunSettings,
    ) -> Result<Self, Failure> {
        let mut own = own;
        if own.is_none() && args.like.is_some() && !args.set.is_empty() {
            let mut document = own::of_sample(&sample);
            changed(&mut document, args)?;
            own::unmask(&mut document, &sample);
            own = Some(Own::new(&sample, document).map_err(|problems| told(&problems))?);
        }
        // The class that is asked for names the image.
        let image = chosen.image.filter(|_| args.class.is_none());
        let numbers = own.as_ref().map(Own::numbers).unwrap_or_default();
        let index = args.index.or(numbers.index).unwrap_or(1);
        Ok(Self {
            execution: args.execution.or(numbers.execution),
            index,
            options: RunOptions {
                timeout_seconds: args.timeout.or(chosen.timeout_seconds),
                ttl_seconds: args.ttl.or(chosen.ttl_seconds),
                gpu: args.gpu.or(chosen.gpu),
                image: args.image.clone().or(image),
                class: args.class.map(Into::into),
                index: Some(index),
                payload: own,
            },
            sample,
            settings,
        })
    }

    pub(super) fn settings(&self) -> &RunSettings {
        &self.settings
    }

    /// The objects of the run under a number, as a pass through its node.
    ///
    /// # Errors
    /// What cannot be created.
    pub(super) fn plan(&self, execution: u64, index: u64) -> Result<RunPlan, Failure> {
        let options = RunOptions {
            index: Some(index),
            ..self.options.clone()
        };
        plan_run(&self.sample, execution, &self.settings, &options)
            .map_err(|refusal| Failure::invalid(refusal.to_string()))
    }
}

/// The sample to begin with, and the payload when it is not the sample's own.
fn document(setup: &Setup, args: &Args) -> Result<(Sample, Option<serde_json::Value>), Failure> {
    let (sample, mut document) = if let Some(path) = &args.payload {
        let text = payload::read(path).map_err(|error| Failure::invalid(error.to_string()))?;
        let document = payload::parse(&text).map_err(|mistake| {
            Failure::invalid(format!("payload {}: {mistake}", path.display()))
        })?;
        (named_after(path), Some(document))
    } else if args.sample.as_deref() == Some(NODE) {
        let sample = node(args.kind.as_deref())?;
        let document = own::of_sample(&sample);
        (sample, Some(document))
    } else {
        (sample(setup, args)?, None)
    };
    if !args.set.is_empty() {
        let mut written = document.unwrap_or_else(|| own::of_sample(&sample));
        changed(&mut written, args)?;
        own::unmask(&mut written, &sample);
        document = Some(written);
    }
    Ok((sample, document))
}

/// What `--set` changes of a payload.
fn changed(document: &mut serde_json::Value, args: &Args) -> Result<(), Failure> {
    let problems: Vec<Problem> = args
        .set
        .iter()
        .filter_map(|assignment| set(document, assignment).err())
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(told(&problems))
    }
}

fn told(problems: &[Problem]) -> Failure {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Failure::invalid(lines.join("\n"))
}

fn node(name: Option<&str>) -> Result<Sample, Failure> {
    let found = name.and_then(NodeType::of_name);
    found.map(NodeType::sample).ok_or_else(|| {
        let names: Vec<&str> = TYPES.iter().map(|kind| kind.name).collect();
        let what = name.map_or_else(
            || "a node type is missing".to_owned(),
            |name| format!("there is no node type `{name}`"),
        );
        Failure::invalid(format!("{what}; there are {}", names.join(", ")))
    })
}

fn sample(setup: &Setup, args: &Args) -> Result<Sample, Failure> {
    let found = samples::load(Some(&setup.paths.samples_dir()));
    for problem in &found.problems {
        output::progress(&problem.to_string());
    }
    let name = args.sample.as_deref().unwrap_or_default();
    if let Some(sample) = found.find(name).filter(|_| args.kind.is_none()) {
        return Ok(sample.clone());
    }
    let names: Vec<&str> = found.samples.iter().map(|s| s.name.as_str()).collect();
    let what = match &args.kind {
        Some(kind) => format!("`{name} {kind}` is none; `run node {kind}` runs a node type"),
        None => format!("there is no sample `{name}`"),
    };
    Err(Failure::invalid(format!(
        "{what}; there are {}, and node TYPE",
        names.join(", ")
    )))
}

/// A payload is listed under the name of its file.
fn named_after(path: &Path) -> Sample {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name: String = stem
        .chars()
        .map(|c| c.to_ascii_lowercase())
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(40)
        .collect();
    let name = name.trim_matches('-');
    Sample {
        name: if name.is_empty() { "payload" } else { name }.to_owned(),
        summary: "a payload of your own".to_owned(),
        ..Sample::default()
    }
}
