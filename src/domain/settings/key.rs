//! The keys: what each is called, means, allows and defaults to (contract 3.1, labels after 8).

use super::value::Value;

/// A setting. The order is that of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    Provider,
    WorkspaceIdentityKey,
    AgentRuntimeCutoverEnabled,
    DispatchTimeoutSeconds,
    ExecutionTimeoutSeconds,
    LogCollectionTimeoutSeconds,
    CancelGraceTimeoutSeconds,
    CancelForceKillEnabled,
    K8sJobTtlSeconds,
    K8sFrontierImage,
    K8sFrontierImageTag,
    K8sVllmImage,
    K8sVllmImageTag,
    K8sImagePullSecretsJson,
    K8sNamespace,
    K8sServiceAccount,
    K8sGpuLimit,
    K8sInCluster,
    K8sKubeconfig,
    K8sLiveCodeEnabled,
    K8sLiveCodeHostPath,
    K8sArgocdAppName,
}

/// A heading of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    General,
    Timeouts,
    CleanUp,
    Images,
    Cluster,
    Development,
}

impl Group {
    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::General => "General",
            Self::Timeouts => "Timeouts and cancelling",
            Self::CleanUp => "Clean-up",
            Self::Images => "Images",
            Self::Cluster => "Cluster",
            Self::Development => "Development",
        }
    }
}

/// The shape and rule of a key's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number, both ends allowed.
    Whole {
        min: u32,
        max: u32,
    },
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A label value that is also a stable key and no path; blank is `default`.
    Identity,
    /// A DNS label; blank is the default.
    Namespace,
    /// Blank, or a DNS subdomain.
    Account,
    /// Blank, or a label value.
    AppName,
    /// Blank, or an image reference.
    Image,
    /// Blank, or an image tag.
    Tag,
    /// An absolute path on the node.
    HostPath,
    /// Blank, or a JSON array of Secret names.
    PullSecrets,
    /// Write-only; never a [`Value`].
    Secret,
}

/// What the table says of a key.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    key: Key,
    pub name: &'static str,
    pub label: &'static str,
    pub group: Group,
    pub kind: Kind,
    /// The default as text.
    default: &'static str,
    /// What the number counts; empty for what is not counted.
    pub unit: &'static str,
    pub help: &'static str,
    /// When a change takes effect, to follow "takes effect ".
    pub takes_effect: &'static str,
}

const NEXT_RUN: &str = "with the next run";
const NEXT_LOG: &str = "with the next log that is read";
const NEXT_CANCEL: &str = "with the next cancel";
const NEXT_START: &str = "when llmctl-dev starts the next time";
const DISPATCHER: &str = "for Studio's dispatcher, once it has the value";

impl serde::Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

impl Key {
    /// All keys in the order of the form.
    pub const ALL: [Self; 22] = {
        let mut all = [Self::Provider; 22];
        let mut at = 0;
        while at < TABLE.len() {
            all[at] = TABLE[at].key;
            at += 1;
        }
        all
    };

    /// What the table says of it.
    pub fn facts(self) -> &'static Facts {
        &TABLE[self as usize]
    }

    /// The key as llmctl writes it.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The key of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }

    /// The key whose name is nearest to a mistyped one, when one is near enough to be meant.
    pub fn nearest(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase().replace('-', "_");
        if let Some(key) = Self::of_name(&name) {
            return Some(key);
        }
        // A part of the name is what people remember: "ttl", "gpu".
        let mut parts = Self::ALL
            .into_iter()
            .filter(|key| key.name().contains(&name));
        if let (Some(only), None) = (parts.next(), parts.next()) {
            return Some(only);
        }
        Self::ALL
            .into_iter()
            .map(|key| (distance(&name, key.name()), key))
            .min()
            .filter(|(steps, key)| *steps <= key.name().len() / 4)
            .map(|(_, key)| key)
    }

    /// The environment variable that sets it; none for the kubeconfig.
    pub fn variable(self) -> Option<String> {
        (!self.is_secret()).then(|| format!("{PREFIX}{}", self.name().to_ascii_uppercase()))
    }

    /// Its value is never shown, logged or stored in clear.
    pub fn is_secret(self) -> bool {
        self.facts().kind == Kind::Secret
    }

    /// Studio keeps it as a row of its settings; the others come from its environment only (contract 3.1).
    pub fn is_studio_row(self) -> bool {
        self.facts().group != Group::Development
    }

    /// The default; `None` for the write-only kubeconfig.
    pub fn default(self) -> Option<Value> {
        let text = self.facts().default;
        match self.facts().kind {
            Kind::Secret => None,
            Kind::Whole { .. } => text.parse().ok().map(Value::Whole),
            Kind::Flag => Some(Value::Flag(text == "true")),
            Kind::PullSecrets => Some(Value::Names(Vec::new())),
            _ => Some(Value::Text(text.into())),
        }
    }

    /// The rule in a few words: `60–86400`, `true or false`, `DNS label`.
    pub fn rule(self) -> String {
        match self.facts().kind {
            Kind::Whole { min, max } => format!("{min}–{max}"),
            Kind::Flag => "true or false".into(),
            Kind::Choice(words) => words.join(" or "),
            Kind::Identity => "label value, at most 63 characters".into(),
            Kind::Namespace => "DNS label, at most 63 characters".into(),
            Kind::Account => "blank, or a DNS subdomain".into(),
            Kind::AppName => "blank, or a label value".into(),
            Kind::Image => "blank, or repository[:tag][@sha256:…]".into(),
            Kind::Tag => "blank (the image's own tag), or a tag".into(),
            Kind::HostPath => "absolute path".into(),
            Kind::PullSecrets => "blank, or a JSON array of Secret names".into(),
            Kind::Secret => "write-only".into(),
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What the environment variables begin with.
pub const PREFIX: &str = "LLMCTL_NODE_EXECUTOR_";

/// Edits between two texts: insert, delete or replace one character.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

macro_rules! table {
    ($($key:ident $name:literal $label:literal in $group:ident: $kind:expr, $default:literal, $unit:literal, $takes:expr;
       $help:literal)*) => {
        [$(Facts {
            key: Key::$key,
            name: $name,
            label: $label,
            group: Group::$group,
            kind: $kind,
            default: $default,
            unit: $unit,
            help: $help,
            takes_effect: $takes,
        }),*]
    };
}

const fn whole(min: u32, max: u32) -> Kind {
    Kind::Whole { min, max }
}

#[rustfmt::skip]
static TABLE: [Facts; 22] = table! {
    Provider "provider" "Provider" in General: Kind::Choice(&["kubernetes"]), "kubernetes", "", NEXT_RUN;
        "Where node runs execute. Kubernetes is the only provider; the key stays for llmctl's wire format."
    WorkspaceIdentityKey "workspace_identity_key" "Identity key" in General: Kind::Identity, "default", "", NEXT_RUN;
        "Names the workspace in the label llmctl.workspace_identity of every Job. A stable key, not a path."
    AgentRuntimeCutoverEnabled "agent_runtime_cutover_enabled" "Agent cutover" in General: Kind::Flag, "false", "", NEXT_RUN;
        "Tells each node to use the new agent runtime."
    DispatchTimeoutSeconds "dispatch_timeout_seconds" "Dispatch timeout" in Timeouts: whole(5, 3600), "300", "s", NEXT_RUN;
        "From the Job being accepted to its start marker. Installations older than February 2026 have 60."
    ExecutionTimeoutSeconds "execution_timeout_seconds" "Execution timeout" in Timeouts: whole(30, 86_400), "1800", "s", NEXT_RUN;
        "From the start marker to the result; also the deadline that Kubernetes enforces on the pod."
    LogCollectionTimeoutSeconds "log_collection_timeout_seconds" "Log collection" in Timeouts: whole(1, 600), "30", "s", NEXT_LOG;
        "From the end of a Job to its log being read to the end."
    CancelGraceTimeoutSeconds "cancel_grace_timeout_seconds" "Cancel grace" in Timeouts: whole(1, 300), "15", "s", NEXT_CANCEL;
        "What a cancelled run gets to stop by itself."
    CancelForceKillEnabled "cancel_force_kill_enabled" "Force kill" in Timeouts: Kind::Flag, "true", "", NEXT_CANCEL;
        "Kills a cancelled run that did not stop within its grace."
    K8sJobTtlSeconds "k8s_job_ttl_seconds" "Job TTL" in CleanUp: whole(60, 86_400), "1800", "s", NEXT_RUN;
        "How long a finished Job and its pod stay before Kubernetes removes them."
    K8sFrontierImage "k8s_frontier_image" "Frontier image" in Images: Kind::Image, "llmctl-executor-frontier:latest", "", NEXT_RUN;
        "Executor image for models behind an API and for nodes without a model. A digest keeps it pinned."
    K8sFrontierImageTag "k8s_frontier_image_tag" "Frontier tag" in Images: Kind::Tag, "", "", NEXT_RUN;
        "Replaces the tag of the frontier image. Without effect on an image pinned by digest."
    K8sVllmImage "k8s_vllm_image" "vLLM image" in Images: Kind::Image, "llmctl-executor-vllm:latest", "", NEXT_RUN;
        "Executor image for models served by vLLM. A digest keeps it pinned."
    K8sVllmImageTag "k8s_vllm_image_tag" "vLLM tag" in Images: Kind::Tag, "", "", NEXT_RUN;
        "Replaces the tag of the vLLM image. Without effect on an image pinned by digest."
    K8sImagePullSecretsJson "k8s_image_pull_secrets_json" "Pull secrets" in Images: Kind::PullSecrets, "", "", NEXT_RUN;
        "Secrets of the namespace with registry credentials, as a JSON array: [\"regcred\"]."
    K8sNamespace "k8s_namespace" "Namespace" in Cluster: Kind::Namespace, "default", "", NEXT_START;
        "Where executor Jobs live: the namespace Studio runs in (llmctl in the overlays)."
    K8sServiceAccount "k8s_service_account" "Service account" in Cluster: Kind::Account, "", "", NEXT_RUN;
        "Account of executor pods; blank is the namespace's default account."
    K8sGpuLimit "k8s_gpu_limit" "GPU limit" in Cluster: whole(0, 8), "0", "", NEXT_RUN;
        "nvidia.com/gpu that a vLLM Job asks for; 0 asks for none. Frontier Jobs never ask for one."
    K8sInCluster "k8s_in_cluster" "In-cluster auth" in Cluster: Kind::Flag, "false", "", DISPATCHER;
        "Studio's dispatcher uses its own service account; off, it needs a kubeconfig. llmctl-dev uses your context."
    K8sKubeconfig "k8s_kubeconfig" "Kubeconfig" in Cluster: Kind::Secret, "", "", DISPATCHER;
        "Write-only and encrypted in Studio's database; never in a file of llmctl-dev."
    K8sLiveCodeEnabled "k8s_live_code_enabled" "Live code" in Development: Kind::Flag, "false", "", NEXT_RUN;
        "Mounts the checkout on the node into executor pods, over the code of the image."
    K8sLiveCodeHostPath "k8s_live_code_host_path" "Live code path" in Development: Kind::HostPath, "/workspace/llmctl", "", NEXT_RUN;
        "Directory on the Minikube node that holds the checkout."
    K8sArgocdAppName "k8s_argocd_app_name" "Argo CD app" in Development: Kind::AppName, "", "", NEXT_RUN;
        "Application that run-time Jobs are shown under; blank leaves Argo CD's labels off."
};
