//! How a container's image comes to the node, or does not.

use std::time::Duration;

use tokio::time::Instant;

use super::{AGAIN, Runner, SETTLE, Stopped};
use crate::sandbox::events::Tone;
use crate::sandbox::images::{PULL, Reference, SIZE, back_off, fault};
use crate::sandbox::node::status::State;

/// How long it takes to learn that an image is nowhere.
const MISS: Duration = Duration::from_millis(300);

impl Runner {
    /// Sees to it that the image is on the node.
    pub(super) async fn image(&mut self) -> Result<Reference, Stopped> {
        let image = self.container.spec["image"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let Some(reference) = Reference::parse(&image) else {
            let fault = fault(&image);
            let why = format!(
                "Failed to apply default image tag {image:?}: couldn't parse image name {image:?}: {fault}"
            );
            return self
                .hopeless("InspectFailed", "InvalidImageName", &why)
                .await;
        };
        let policy = self.container.spec["imagePullPolicy"]
            .as_str()
            .unwrap_or(reference.default_policy())
            .to_owned();
        let known = reference.flavor().is_some();
        // A known image counts as loaded for whoever forbids to pull it.
        let slow = self.context.faults.pull();
        let here =
            (self.context.images.has(&reference) && slow.is_none()) || (policy == "Never" && known);
        if here && policy != "Always" {
            self.tell(
                Tone::Normal,
                "Pulled",
                &format!("Container image {image:?} already present on machine"),
            );
            return Ok(reference);
        }
        if policy == "Never" {
            let why = format!("Container image {image:?} is not present with pull policy of Never");
            return self
                .hopeless("ErrImageNeverPull", "ErrImageNeverPull", &why)
                .await;
        }
        if known {
            self.tell(Tone::Normal, "Pulling", &format!("Pulling image {image:?}"));
            let began = Instant::now();
            let takes = slow.unwrap_or(if here { PULL / 10 } else { PULL });
            self.pause(takes).await?;
            self.context.images.add(&reference);
            self.context.show_image(&reference);
            let took = format!("{}ms", began.elapsed().as_millis());
            let message = format!(
                "Successfully pulled image {image:?} in {took} ({took} including waiting). Image size: {SIZE} bytes."
            );
            self.tell(Tone::Normal, "Pulled", &message);
            return Ok(reference);
        }
        self.pull_in_vain(&image, &reference).await
    }

    /// Never comes back but by being stopped.
    async fn pull_in_vain(
        &mut self,
        image: &str,
        reference: &Reference,
    ) -> Result<Reference, Stopped> {
        let why = reference.not_found();
        for failures in 1.. {
            self.tell(Tone::Normal, "Pulling", &format!("Pulling image {image:?}"));
            self.pause(MISS).await?;
            self.tell(
                Tone::Warning,
                "Failed",
                &format!("Failed to pull image {image:?}: {why}"),
            );
            self.tell(Tone::Warning, "Failed", "Error: ErrImagePull");
            self.set(State::Waiting {
                reason: "ErrImagePull".to_owned(),
                message: Some(why.clone()),
            });
            self.pause(SETTLE).await?;
            let message = format!("Back-off pulling image {image:?}: ErrImagePull: {why}");
            let until = Instant::now() + back_off(failures);
            while Instant::now() < until {
                self.tell(
                    Tone::Normal,
                    "BackOff",
                    &format!("Back-off pulling image {image:?}"),
                );
                self.tell(Tone::Warning, "Failed", "Error: ImagePullBackOff");
                self.set(State::Waiting {
                    reason: "ImagePullBackOff".to_owned(),
                    message: Some(message.clone()),
                });
                self.pause(AGAIN.min(until - Instant::now())).await?;
            }
        }
        Err(Stopped)
    }

    /// Nothing but a new pod would help; the kubelet keeps saying so.
    async fn hopeless(
        &mut self,
        event: &str,
        reason: &str,
        why: &str,
    ) -> Result<Reference, Stopped> {
        loop {
            self.tell(Tone::Warning, event, why);
            self.tell(Tone::Warning, "Failed", &format!("Error: {reason}"));
            self.set(State::Waiting {
                reason: reason.to_owned(),
                message: Some(why.to_owned()),
            });
            self.pause(AGAIN).await?;
        }
    }
}
