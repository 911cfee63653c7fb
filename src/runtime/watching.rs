//! The files that a session looks at: a change on disk becomes a message.

use super::World;
use crate::app::Msg;
use crate::app::notices::Notice;
use crate::app::{overlays, settings};
use crate::files::watch::{self, Change, Subject, Watch, WatchError};
use std::path::Path;
use tokio::sync::mpsc;

impl World {
    /// Watches the settings file, the samples and the overlays. Where that cannot be done it is told, and changes are
    /// seen at the next start.
    pub fn watch_files(&mut self, settings: &Path) {
        let opened = watch::open().and_then(|(watch, changes)| {
            self.register(&watch, settings)?;
            Ok((watch, changes))
        });
        let (watch, mut changes) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                return self.tell(Notice::warning(format!("files are not watched: {error}")));
            }
        };
        let (out, samples) = (self.out.clone(), self.paths.samples_dir());
        self.streams.spawn(async move {
            // The watch lives as long as somebody listens.
            let _watch = watch;
            while let Some(change) = changes.next().await {
                if tell(&out, &samples, change).await.is_err() {
                    return;
                }
            }
        });
    }

    fn register(&self, watch: &Watch, settings: &Path) -> Result<(), WatchError> {
        watch.file(settings, Subject::Settings)?;
        watch.tree(&self.paths.samples_dir(), Subject::Samples)?;
        for directory in self.shelf().directories() {
            watch.tree(directory, Subject::Overlays)?;
        }
        Ok(())
    }
}

async fn tell(
    out: &mpsc::Sender<Msg>,
    samples: &Path,
    change: Change,
) -> Result<(), mpsc::error::SendError<Msg>> {
    match change.subject {
        Subject::Settings => out.send(Msg::Settings(settings::Msg::Changed)).await,
        Subject::Samples => super::runs::tell_samples(out, samples).await,
        Subject::Overlays => {
            let paths = change
                .paths
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            out.send(Msg::Overlays(overlays::Msg::FilesChanged(paths)))
                .await
        }
        Subject::ToolConfig => Ok(()),
    }
}
