//! What a person can ask for. The key table, the palette and the footers all speak in these.

use super::Pane;

/// An intent. Movement and the like mean what the place with the keys makes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    // everywhere
    Quit,
    Help,
    Palette,
    Messages,
    Focus(Pane),
    FocusNext,
    FocusPrevious,
    // lists, pages, forms
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Left,
    Right,
    /// Enter: open, start, confirm.
    Accept,
    /// Escape: close, leave the filter, clear it.
    Dismiss,
    Filter,
    Sort,
    Copy,
    // runs
    NewRun,
    /// The same request as the next pass through its node.
    RunAgain,
    /// The run dialog, with the request of the selected run.
    CloneRun,
    CancelRun,
    KeepRun,
    /// An hour longer.
    ExtendRun,
    RemoveRun,
    /// Mark the selected row, or take its mark away.
    Mark,
    MarkAll,
    Compare,
    ShowOrphans,
    RemoveOrphans,
    Logs,
    // run detail
    NextTab,
    PreviousTab,
    Follow,
    Times,
    Wrap,
    Search,
    NextMatch,
    /// Lay out lines of JSON, or show them as they are.
    PrettyLog,
    /// Show the last minutes only, or all again.
    LogSince,
    ToMarker,
    ToResult,
    NextError,
    PreviousError,
    PreviousMatch,
    SaveLog,
    /// Show the managed fields of the manifest, or fold them again.
    Unfold,
    /// Copy the `kubectl` command line that shows the same.
    CopyKubectl,
    // overlays
    DiffOverlay,
    ApplyOverlay,
    TakeOwnership,
    PruneOverlay,
    // settings
    EditSettings,
    SaveSettings,
    UndoSetting,
    UndoAllSettings,
    ResetSetting,
    ShowSettingsDiff,
    /// The places that settings can be saved to.
    ReviewSettings,
    /// Save to the selected place, or not.
    ToggleTarget,
    /// Save the settings to another file.
    SaveElsewhere,
    // checks
    /// What a migration of Studio's database would do.
    ShowMigration,
    ApplyMigration,
    /// Also raise a dispatch timeout that is the old default, or not.
    RaiseTimeout,
    /// What an audit of the checkout finds.
    ShowAudit,
    /// Look at the database or the checkout once more.
    CheckAgain,
    // run dialog
    PreviewManifest,
    EditPayload,
    /// Fill in the fields of a node's request.
    FillForm,
    /// The next of the words that a field may hold.
    NextChoice,
    /// Take the payload as typed.
    TakePayload,
    /// Write the payload as JSON, or as YAML again.
    OtherLanguage,
    UndoEdit,
    /// Go to the run that was this very request.
    OpenKnown,
    /// Run the request as the next pass through its node.
    NextPass,
    /// Yes to a question.
    Yes,
    /// No to a question.
    No,
    Fault(Fault),
}

/// A switch of the sandbox's faults, in the demo's palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The API answers nothing for 30 s.
    ApiDown,
    /// Every answer comes 2 s late, until it is chosen again.
    SlowAnswers,
    /// The next requests get 500.
    ServerError,
    /// The next requests get 429 and are to wait.
    TooManyRequests,
    /// The next requests get 503 and are to wait.
    Unavailable,
    /// All watches end without a bookmark.
    DropWatches,
    /// Old resource versions are forgotten: watches get 410 Gone.
    CompactHistory,
    /// Nothing is heard of the node for 2 min, or until it is chosen again.
    SilentNode,
    /// Image pulls take 20 s, until it is chosen again.
    SlowPulls,
    /// The cluster's clock is an hour ahead, until it is chosen again.
    WrongClock,
    /// The newest running pod is killed for its memory.
    OutOfMemory,
    /// Every fault that lasts ends.
    Nothing,
}

/// Where a key is pressed; each has its own rows in the key table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// Rows that hold everywhere but in text fields.
    Anywhere,
    Overlays,
    /// Typing the filter of the overlays list.
    OverlaysFilter,
    Settings,
    Runs,
    /// Typing the filter of the runs list.
    RunsFilter,
    /// A detail tab other than the log.
    Detail,
    DetailLogs,
    /// Typing the search of the log.
    LogSearch,
    RunDialog,
    /// A text field of the run dialog.
    RunDialogText,
    /// The payload being edited.
    Payload,
    /// The fields of a node being filled in.
    RunForm,
    SettingsForm,
    /// A text field of the settings form.
    SettingsText,
    /// A list of the settings form being typed, one item on a line.
    SettingsList,
    /// The name of another file to save the settings to.
    SettingsElsewhere,
    /// The changes of the settings form, before they are saved.
    SettingsDiff,
    /// The places to save the settings to.
    SettingsReview,
    Diff,
    DiffFilter,
    Question,
    /// A question that wants a name typed.
    QuestionText,
    Help,
    Palette,
    Messages,
    /// What runs left behind.
    Orphans,
    /// The same while nothing is.
    NothingLeft,
    /// Two runs side by side.
    Compare,
    Checks,
    /// What a migration would do, row by row.
    Migration,
    /// A migration under way.
    Migrating,
    /// What an audit found, row by row.
    Audit,
    /// Typing the filter of either.
    ChecksFilter,
}

impl Context {
    /// Plain characters are text here and not keys.
    pub fn takes_text(self) -> bool {
        matches!(
            self,
            Self::OverlaysFilter
                | Self::RunsFilter
                | Self::LogSearch
                | Self::RunDialogText
                | Self::Payload
                | Self::RunForm
                | Self::SettingsText
                | Self::SettingsList
                | Self::SettingsElsewhere
                | Self::DiffFilter
                | Self::ChecksFilter
                | Self::QuestionText
                | Self::Palette
        )
    }
}

impl Action {
    /// It would write to the cluster, at once or after a question.
    pub fn writes(self) -> bool {
        matches!(
            self,
            Self::NewRun
                | Self::RunAgain
                | Self::CloneRun
                | Self::CancelRun
                | Self::KeepRun
                | Self::ExtendRun
                | Self::RemoveOrphans
                | Self::RemoveRun
                | Self::ApplyOverlay
        )
    }

    /// The pane whose noun the action belongs to, wherever it was pressed or chosen.
    pub fn noun(self) -> Option<Pane> {
        match self {
            Self::NewRun
            | Self::RunAgain
            | Self::CloneRun
            | Self::CancelRun
            | Self::KeepRun
            | Self::ExtendRun
            | Self::RemoveRun
            | Self::Compare
            | Self::ShowOrphans
            | Self::Logs => Some(Pane::Runs),
            Self::NextTab
            | Self::PreviousTab
            | Self::Follow
            | Self::Times
            | Self::Wrap
            | Self::SaveLog
            | Self::Search
            | Self::PrettyLog
            | Self::LogSince
            | Self::ToMarker
            | Self::ToResult
            | Self::NextError
            | Self::PreviousError
            | Self::Unfold
            | Self::CopyKubectl => Some(Pane::Detail),
            Self::DiffOverlay | Self::ApplyOverlay | Self::TakeOwnership | Self::PruneOverlay => {
                Some(Pane::Overlays)
            }
            Self::ShowMigration | Self::ShowAudit => Some(Pane::Checks),
            Self::EditSettings | Self::SaveSettings | Self::ReviewSettings => Some(Pane::Settings),
            _ => None,
        }
    }
}
