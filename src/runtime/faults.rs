//! The sandbox's faults: switched from the palette, and told to the screen while they last.

use super::World;
use crate::app::Msg;
use crate::app::action::Fault;
use crate::app::notices::Notice;
use crate::sandbox::faults::{Fault as Injected, Faults, Planned, Refusal};
use jiff::SignedDuration;
use std::time::Duration;

/// So many requests are refused at a time.
const REFUSED: u32 = 5;

impl World {
    /// Switches a fault; on any other cluster there is none to switch.
    pub(super) fn fault(&mut self, fault: Fault) {
        let Some(sandbox) = &self.sandbox else { return };
        let said = sandbox.inject(injected(fault, sandbox.faults()));
        self.tell(Notice::info(format!("sandbox fault: {said}")));
    }

    /// Lets faults come at their times; on any other cluster than a sandbox there are none.
    pub fn plan_faults(&mut self, faults: Vec<Planned>) {
        let Some(sandbox) = &self.sandbox else { return };
        let (injector, out) = (sandbox.injector(), self.out.clone());
        self.streams.spawn(async move {
            let tell = |said: String| {
                let notice = Notice::info(format!("sandbox fault: {said}"));
                // With so much else to tell, the header tells of it too.
                let _ = out.try_send(Msg::Noticed(notice));
            };
            injector.inject_in_time(faults, tell).await;
        });
    }

    /// Tells what the faults make wrong, whenever that changes.
    pub(super) fn watch_faults(&mut self) {
        let Some(sandbox) = &self.sandbox else { return };
        let faults = sandbox.faults().clone();
        let out = self.out.clone();
        self.streams.spawn(async move {
            let mut switched = faults.switched();
            let mut told = Vec::new();
            loop {
                let (on, until) = faults.on();
                if on != told {
                    told.clone_from(&on);
                    if out.send(Msg::Faults(on)).await.is_err() {
                        return;
                    }
                }
                let over = async {
                    match until {
                        Some(until) => tokio::time::sleep_until(until).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    _ = switched.changed() => {}
                    () = over => {}
                }
            }
        });
    }
}

/// What the palette's word means now: what lasts until it is chosen again ends when it is on.
fn injected(fault: Fault, faults: &Faults) -> Injected {
    let unless = |on: bool, time: u64| Duration::from_secs(if on { 0 } else { time });
    match fault {
        Fault::ApiDown => Injected::ApiDown(Duration::from_secs(30)),
        Fault::SlowAnswers => Injected::Slow(unless(!faults.delay().is_zero(), 2)),
        Fault::ServerError => Injected::Refuse(Refusal::InternalError, REFUSED),
        Fault::TooManyRequests => Injected::Refuse(Refusal::TooManyRequests(2), REFUSED),
        Fault::Unavailable => Injected::Refuse(Refusal::Unavailable(2), REFUSED),
        Fault::DropWatches => Injected::DropWatches,
        Fault::CompactHistory => Injected::CompactHistory,
        Fault::SilentNode => Injected::NodeSilent(unless(faults.is_silent(), 120)),
        Fault::SlowPulls => Injected::SlowPulls(unless(faults.pull().is_some(), 20)),
        Fault::WrongClock => Injected::Clock(if faults.offset().is_zero() {
            SignedDuration::from_hours(1)
        } else {
            SignedDuration::ZERO
        }),
        Fault::OutOfMemory => Injected::OutOfMemory,
        Fault::Nothing => Injected::Nothing,
    }
}
