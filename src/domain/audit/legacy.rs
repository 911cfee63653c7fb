//! The names of what was taken out, and what took its place (contract sections 3.7 and 7.9). Only the audit and the migration name them.

/// Prefix of the executor's variables.
pub(super) const PREFIX: &str = "LLMCTL_NODE_EXECUTOR_";

/// The variable that chose the provider.
pub(super) const PROVIDER: &str = "LLMCTL_NODE_EXECUTOR_PROVIDER";

/// Read by nobody since 2026-02-20.
pub(super) const DEAD: &str = "LLMCTL_NODE_EXECUTOR_K8S_IMAGE";

/// Modules and classes of the removed executors.
pub(super) const EXECUTORS: [&str; 4] = [
    "docker_executor",
    "workspace_executor",
    "DockerExecutor",
    "WorkspaceExecutor",
];

/// A service that Compose started, and its workload today.
pub(super) struct Moved {
    pub(super) service: &'static str,
    /// Sentence for people: workload and ports.
    pub(super) now: &'static str,
}

/// What Compose started, with what runs instead.
pub(super) const SERVICES: [Moved; 7] = [
    Moved {
        service: "llmctl-redis",
        now: "Deployment and Service llmctl-redis, port 6390 (was 6380)",
    },
    Moved {
        service: "llmctl-postgres",
        now: "Deployment and Service llmctl-postgres, port 5432 (was 15432 on the host)",
    },
    Moved {
        service: "llmctl-chromadb",
        now: "Deployment and Service llmctl-chromadb, port 8000",
    },
    Moved {
        service: "llmctl-rag",
        now: "part of Deployment llmctl-celery-worker, which serves the retrieval queues (was port 5050)",
    },
    Moved {
        service: "llmctl-studio",
        now: "Deployments llmctl-studio-backend, port 5155 (was 5055), and llmctl-studio-frontend, port 8080",
    },
    Moved {
        service: "dozzle",
        now: "the logs of pods: `llmctl-dev runs logs`, or the Logs tab",
    },
    Moved {
        service: "llmctl-harbor-registry",
        now: "`minikube image load`, or Harbor in namespace llmctl-harbor, NodePort 30082 (was 15000)",
    },
];

/// What runs instead of that service; none for one that llmctl never had.
pub(super) fn moved(service: &str) -> Option<&'static Moved> {
    SERVICES.iter().find(|moved| moved.service == service)
}

/// What takes the place of a removed setting.
pub(super) fn setting_now(key: &str) -> &'static str {
    match key {
        "docker_image" => "set k8s_frontier_image (LLMCTL_NODE_EXECUTOR_K8S_FRONTIER_IMAGE)",
        "docker_pull_policy" => "the tag of the image decides: `latest` is always pulled",
        "docker_env_json" => "put the variables into the payload of the run, or a Secret",
        "docker_network" => "pods reach Services by name; nothing is to be set",
        "docker_host" | "docker_api_stall_seconds" => "the Kubernetes API is used; remove the line",
        "workspace_root" => {
            "every execution has a directory of its own in its pod; remove the line"
        }
        _ => "there is no other route than Kubernetes; remove the line",
    }
}
