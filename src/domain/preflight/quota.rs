//! What a run takes of a namespace's quotas, and whether it is left.

use super::{Facts, Mark, Needs, QuotaFacts, Row};
use crate::domain::overlays::quantity::thousandths;
use serde_json::Value;

/// Resource and quantity of one Job with its pod and its payload.
pub(super) fn takes(resources: &Value) -> Vec<(&'static str, String)> {
    let one = || "1".to_owned();
    let mut takes = vec![
        ("count/jobs.batch", one()),
        ("pods", one()),
        ("count/pods", one()),
        ("configmaps", one()),
        ("count/configmaps", one()),
    ];
    let amount = |part: &str, name: &str| resources[part][name].as_str().map(str::to_owned);
    for (resource, part, name) in [
        ("cpu", "requests", "cpu"),
        ("requests.cpu", "requests", "cpu"),
        ("memory", "requests", "memory"),
        ("requests.memory", "requests", "memory"),
        ("limits.cpu", "limits", "cpu"),
        ("limits.memory", "limits", "memory"),
        // What is limited only is requested as much.
        ("requests.nvidia.com/gpu", "limits", "nvidia.com/gpu"),
    ] {
        takes.extend(amount(part, name).map(|quantity| (resource, quantity)));
    }
    takes
}

pub(super) fn row(needs: &Needs, facts: &Facts) -> Row {
    let quotas = match &facts.quotas {
        Ok(quotas) => quotas,
        Err(why) => return Row::unknown("quota", why),
    };
    for quota in quotas {
        if let Some((resource, used, hard)) = short_of(needs, quota) {
            return Row::new(
                "quota",
                Mark::Refuses,
                format!(
                    "{} leaves no room: {resource} {used} of {hard} used",
                    quota.name
                ),
            )
            .fixed_by(format!(
                "remove finished runs, or raise it (kubectl -n {} edit quota {})",
                needs.namespace, quota.name
            ));
        }
    }
    match quotas.len() {
        0 => Row::new("quota", Mark::Ok, "none set"),
        _ => Row::new("quota", Mark::Ok, "leaves room"),
    }
}

/// The first resource that the run takes and the quota has not left.
fn short_of<'a>(needs: &Needs, quota: &'a QuotaFacts) -> Option<(&'static str, &'a str, &'a str)> {
    needs.takes.iter().find_map(|(resource, takes)| {
        let hard = quota.hard.get(*resource)?;
        let used = quota.used.get(*resource).map_or("0", String::as_str);
        let wanted = thousandths(used)?.checked_add(thousandths(takes)?)?;
        (wanted > thousandths(hard)?).then_some((*resource, used, hard.as_str()))
    })
}
