//! What the dialog asks for, as the options of a run.

use super::super::{Around, Slice};
use crate::app::text::Field;
use crate::domain::manifest::RunOptions;
use crate::domain::payload::check::problems;
use crate::domain::payload::own::{self, Own};
use crate::domain::payload::set::{set, words};
use crate::domain::samples::Sample;
use crate::domain::settings::images::ImageClass;

/// As the payload asks, then each class.
pub(super) fn next(class: Option<ImageClass>) -> Option<ImageClass> {
    match class {
        None => Some(ImageClass::Frontier),
        Some(ImageClass::Frontier) => Some(ImageClass::Vllm),
        Some(ImageClass::Vllm) => None,
    }
}

pub(super) fn previous(class: Option<ImageClass>) -> Option<ImageClass> {
    next(next(class))
}

impl Slice {
    /// What the dialog asks for; a field that says what the settings say asks for nothing of its own.
    pub(super) fn options(&self, sample: &Sample, around: &Around) -> Result<RunOptions, String> {
        let number = |name: &str, field: &Field| {
            field
                .text()
                .trim()
                .parse::<u32>()
                .map_err(|_| format!("{name} `{}`: a whole number is needed", field.text()))
        };
        let unless = |value: u32, setting: u32| (value != setting).then_some(value);
        let settings = &around.settings;
        let timeout = number("timeout", &self.dialog.timeout)?;
        let ttl = number("TTL", &self.dialog.ttl)?;
        let gpu = number("GPU", &self.dialog.gpu)?;
        let image = self.dialog.other_image.text().trim();
        Ok(RunOptions {
            timeout_seconds: unless(timeout, settings.execution_timeout_seconds),
            ttl_seconds: unless(ttl, settings.ttl_seconds),
            gpu: match self.cloned(self.dialog.sample) {
                // What it had is asked for, whatever the image class.
                Some(_) => Some(gpu),
                None => unless(gpu, settings.gpu_limit),
            },
            image: (!image.is_empty()).then(|| image.to_owned()),
            class: self.dialog.class,
            index: self.dialog.index,
            payload: self.payload(sample)?,
        })
    }

    /// The payload as it was edited or filled in, with what stands in the field for its environment.
    fn payload(&self, sample: &Sample) -> Result<Option<Own>, String> {
        let assignments = words(self.dialog.env.text()).map_err(|problem| problem.to_string())?;
        if assignments.is_empty() {
            return Ok(self.dialog.own.clone());
        }
        let mut document = match &self.dialog.written {
            Some(written) => written.clone(),
            None => own::of_sample(sample),
        };
        for assignment in assignments {
            if !assignment.contains('=') {
                return Err(format!("env `{assignment}`: NAME=value is needed"));
            }
            set(&mut document, &format!("env.{assignment}"))
                .map_err(|problem| problem.to_string())?;
        }
        own::unmask(&mut document, sample);
        Own::new(sample, document).map(Some).map_err(|problems| {
            let first = problems.first();
            first.map_or_else(String::new, ToString::to_string)
        })
    }

    /// A node type is only a beginning: what is still missing is filled into its fields.
    pub(super) fn in_order(&self, sample: &Sample) -> Result<(), String> {
        if self.dialog.own.is_some() || self.dialog.sample < self.samples.len() {
            return Ok(());
        }
        match problems(&own::of_sample(sample)).first() {
            Some(problem) => Err(format!("{problem} (f fills in the fields)")),
            None => Ok(()),
        }
    }
}
