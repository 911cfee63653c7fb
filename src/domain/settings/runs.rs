//! What runs take from the settings.

use super::Settings;
use super::images::ImageClass;
use crate::domain::cancel::CancelPlan;
use crate::domain::manifest::RunSettings;

impl Settings {
    /// What a run in `namespace` takes from these settings.
    pub fn for_runs(&self, namespace: &str) -> RunSettings {
        let unless_blank = |text: &String| (!text.is_empty()).then(|| text.clone());
        RunSettings {
            namespace: namespace.into(),
            workspace_identity: self.workspace_identity.clone(),
            frontier_image: self.image(ImageClass::Frontier),
            vllm_image: self.image(ImageClass::Vllm),
            service_account: unless_blank(&self.service_account),
            image_pull_secrets: self.pull_secrets.clone(),
            gpu_limit: self.gpu_limit,
            ttl_seconds: self.job_ttl.0,
            dispatch_timeout_seconds: self.dispatch_timeout,
            execution_timeout_seconds: self.execution_timeout,
            cancel_grace_seconds: self.cancel_grace_timeout,
            agent_runtime_cutover: self.agent_runtime_cutover,
            argocd_app: unless_blank(&self.argocd_app),
            live_code_path: self
                .live_code
                .enabled
                .then(|| self.live_code.host_path.clone()),
        }
    }

    /// How a run is cancelled.
    pub fn cancel_plan(&self) -> CancelPlan {
        CancelPlan {
            grace: self.cancel_grace_timeout,
            force: self.cancel_force_kill,
        }
    }
}
