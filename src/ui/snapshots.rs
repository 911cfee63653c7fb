//! Every named state of the screen, at 120x40 and 80x24, and what must hold at every size.

mod colours;
mod contract;
mod hostile;
mod sizes;
mod start;
mod states;

/// Compares a screen with the one kept under `snapshots/states/`.
fn keep(name: &str, shown: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots/states");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, shown));
}
