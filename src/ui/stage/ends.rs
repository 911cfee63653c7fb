//! How runs end and go: results, finished Jobs, removals.

use super::{Stage, Told, seconds};
use crate::app::Msg;
use crate::domain::logs::LogEvent;
use crate::domain::observed::{ContainerState, JobFinish, Seen};

impl Stage {
    /// The end of a running run, `after` seconds after its creation, with its result line.
    pub(in super::super) fn ended(&mut self, told: &Told, after: i64, exit: i32) -> &mut Self {
        let begin = self.state.now;
        let at = seconds(told.created + after);
        let status = if exit == 0 { "success" } else { "failed" };
        let error = if exit == 0 {
            "null".to_owned()
        } else {
            format!(
                r#"{{"code": "execution_error", "details": {{"returncode": {exit}}}, "message": "Command exited with code {exit}.", "retryable": false}}"#
            )
        };
        let result = format!(
            r#"LLMCTL_EXECUTOR_RESULT_JSON={{"contract_version": "v1", "error": {error}, "exit_code": {exit}, "finished_at": "2026-11-24T14:02:30+00:00", "metrics": {{"duration_seconds": 0.412}}, "provider_metadata": {{"execution_mode": "command", "executor": "llmctl-executor", "provider": "kubernetes", "request_id": "{}"}}, "started_at": "2026-11-24T14:02:29+00:00", "status": "{status}", "stderr": "", "stdout": "hello from the executor\nline two\nline three\n"}}"#,
            told.number
        );
        let printed = [
            "hello from the executor".to_owned(),
            "line two".to_owned(),
            "line three".to_owned(),
            result,
        ];
        self.print(told, at - 0.1, &printed);
        self.finish(told, after, exit, true);
        self.log(told, LogEvent::Whole);
        self.send(Msg::Ticked(begin));
        self
    }

    /// The pod and the Job end; nothing is said of the log.
    pub(in super::super) fn finish(&mut self, told: &Told, after: i64, exit: i32, complete: bool) {
        let at = seconds(told.created + after);
        self.tick(at);
        let ended = ContainerState::Terminated {
            started: Some(self.at(seconds(told.created + 2) + 0.9)),
            finished: Some(self.at(at)),
            exit,
            signal: None,
            reason: if exit == 0 { "Completed" } else { "Error" }.into(),
            message: String::new(),
        };
        self.see(Seen::Pod(Box::new(self.pod(told, Some(ended)))));
        let mut job = self.job(told);
        job.active = 0;
        job.finish = Some(JobFinish {
            at: self.at(at),
            complete: complete && exit == 0,
            reason: if complete && exit == 0 {
                String::new()
            } else {
                "BackoffLimitExceeded".into()
            },
            message: if complete && exit == 0 {
                String::new()
            } else {
                "Job has reached the specified backoff limit".into()
            },
        });
        self.see(Seen::Job(Box::new(job)));
    }

    /// The executor says success, and Kubernetes says that the Job failed.
    pub(in super::super) fn ended_against(&mut self, told: &Told, after: i64) -> &mut Self {
        let begin = self.state.now;
        let result = r#"LLMCTL_EXECUTOR_RESULT_JSON={"contract_version": "v1", "error": null, "exit_code": 0, "provider_metadata": {"execution_mode": "command"}, "status": "success", "stderr": "", "stdout": ""}"#;
        let at = seconds(told.created + after);
        self.print(told, at - 0.1, &[result.to_owned()]);
        self.finish(told, after, 1, false);
        self.log(told, LogEvent::Whole);
        self.send(Msg::Ticked(begin));
        self
    }

    /// The TTL controller removes a finished Job.
    pub(in super::super) fn removed(&mut self, told: &Told, finished_after: i64) -> &mut Self {
        self.removed_after(told, finished_after, i64::from(told.ttl))
    }

    /// A finished Job goes `kept` seconds after its end.
    pub(in super::super) fn removed_after(
        &mut self,
        told: &Told,
        finished_after: i64,
        kept: i64,
    ) -> &mut Self {
        let begin = self.state.now;
        let at = told.created + finished_after + kept;
        self.tick(seconds(at));
        let mut job = self.job(told);
        job.active = 0;
        job.finish = Some(JobFinish {
            at: self.at(seconds(told.created + finished_after)),
            complete: true,
            reason: String::new(),
            message: String::new(),
        });
        job.deleting = Some(self.at(seconds(at)));
        self.see(Seen::JobGone(Box::new(job)));
        self.send(Msg::Ticked(begin));
        self
    }
}
