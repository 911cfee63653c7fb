//! How far what is in sight can be scrolled: only the drawing knows how many lines there are and how many fit.

use super::State;

/// The last possible first lines, as the last frame found them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of a plain page: the help, the message history.
    pub page: usize,
    /// Of the tab of the run detail, when it is a plain page.
    pub detail: usize,
    /// Of the preview in the run dialog.
    pub preview: usize,
    /// Of the log: the number of a line.
    pub log: u64,
    /// Rows of the log, while it is in sight.
    pub log_rows: Option<usize>,
}

impl Default for Limits {
    /// No limit: what is not in sight stays where it was.
    fn default() -> Self {
        Self {
            page: usize::MAX,
            detail: usize::MAX,
            preview: usize::MAX,
            log: u64::MAX,
            log_rows: None,
        }
    }
}

impl State {
    /// Takes the limits that a frame found, so that a key up after many keys down moves at once.
    pub fn limit(&mut self, limits: Limits) {
        self.page_top = self.page_top.min(limits.page);
        self.runs.detail_top = self.runs.detail_top.min(limits.detail);
        self.runs.dialog.preview_top = self.runs.dialog.preview_top.min(limits.preview);
        let view = &mut self.runs.log_view;
        view.top = view.top.min(limits.log);
        view.rows = limits.log_rows.unwrap_or(view.rows);
    }
}
