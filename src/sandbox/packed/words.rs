//! The words that objects are made of, each with its number: names of fields, and values that most objects have.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use crate::merge::schema;

/// The most frequent words have the smallest numbers.
const FREQUENT: &[&str] = &[
    "metadata",
    "name",
    "f:metadata",
    "f:spec",
    "f:status",
    "type",
    "status",
    "lastTransitionTime",
    "key",
    "value",
    "labels",
    "f:labels",
    "annotations",
    "uid",
    ".",
    "f:name",
    "f:type",
    "reason",
    "message",
    "namespace",
    "kind",
    "apiVersion",
    "True",
    "manager",
    "operation",
    "time",
    "fieldsType",
    "fieldsV1",
    "FieldsV1",
    "v1",
    "Pod",
];

/// Values, and keys of maps, that are the same in very many objects.
const VALUES: &[&str] = &[
    "",
    "False",
    "Update",
    "Apply",
    "Always",
    "IfNotPresent",
    "Never",
    "File",
    "FallbackToLogsOnError",
    "Default",
    "ClusterFirst",
    "default-scheduler",
    "sandbox",
    "default",
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
    "Exists",
    "NoExecute",
    "Pending",
    "Running",
    "Succeeded",
    "Failed",
    "Completed",
    "Error",
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
    "PodCompleted",
    "Complete",
    "SuccessCriteriaMet",
    "FailureTarget",
    "Unschedulable",
    "BestEffort",
    "Burstable",
    "Guaranteed",
    "RuntimeDefault",
    "ALL",
    "batch/v1",
    "apps/v1",
    "Job",
    "Pod",
    "ReplicaSet",
    "Deployment",
    "ConfigMap",
    "Event",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
    "batch.kubernetes.io/job-tracking",
    "kubernetes.io/hostname",
    "NonIndexed",
    "Background",
    "TerminatingOrFailed",
    "Normal",
    "Warning",
    "kubelet",
    "job-controller",
    "SuccessfulCreate",
    "Scheduled",
    "Scheduling",
    "Binding",
    "FailedScheduling",
    "Pulled",
    "Pulling",
    "Created",
    "Started",
    "Job completed",
    "CompletionsReached",
    "Reached expected number of succeeded pods",
    "v1:metadata.name",
    "metadata.name",
    "kubectl.kubernetes.io/last-applied-configuration",
    "default-scheduler-sandbox",
    "/dev/termination-log",
    "/var/run/secrets/kubernetes.io/serviceaccount",
    "token",
    "ca.crt",
    "kube-root-ca.crt",
    "cpu",
    "memory",
    "limits",
    "requests",
    "k:{\"type\":\"Complete\"}",
    "k:{\"type\":\"Ready\"}",
];

/// The table, made once. It never changes.
static WORDS: LazyLock<Words> = LazyLock::new(Words::collect);

struct Words {
    all: Vec<String>,
    numbers: HashMap<String, u64>,
}

impl Words {
    fn collect() -> Self {
        let fields: BTreeSet<&str> = schema::type_names()
            .filter_map(schema::type_named)
            .flatten()
            .map(|(name, _)| name)
            .collect();
        let owned = |name: &&str| format!("f:{name}");
        let mut words = Self {
            all: Vec::new(),
            numbers: HashMap::new(),
        };
        let plain = FREQUENT.iter().chain(VALUES).chain(&fields);
        let all = plain
            .clone()
            .map(ToString::to_string)
            .chain(plain.map(owned));
        for word in all {
            if !words.numbers.contains_key(&word) {
                words.numbers.insert(word.clone(), words.all.len() as u64);
                words.all.push(word);
            }
        }
        words
    }
}

/// The number of a word of the table.
pub(super) fn number(text: &str) -> Option<u64> {
    WORDS.numbers.get(text).copied()
}

/// The word of a number; empty for one that no word has.
pub(super) fn word(number: u64) -> &'static str {
    usize::try_from(number)
        .ok()
        .and_then(|number| WORDS.all.get(number))
        .map_or("", String::as_str)
}

/// How many words the table has.
pub(super) fn count() -> u64 {
    WORDS.all.len() as u64
}
