-- A Studio's database of the day on which its executors wrote to SQLite.
BEGIN;
CREATE TABLE integration_settings (
  id INTEGER NOT NULL PRIMARY KEY, provider VARCHAR(32) NOT NULL, "key" VARCHAR(64) NOT NULL, value TEXT NOT NULL,
  created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL,
  CONSTRAINT uq_integration_provider_key UNIQUE (provider, "key")
);
CREATE TABLE agent_tasks (
  id INTEGER NOT NULL PRIMARY KEY, status VARCHAR(32) NOT NULL, kind VARCHAR(32),
  selected_provider VARCHAR(32) NOT NULL DEFAULT 'workspace', final_provider VARCHAR(32) NOT NULL DEFAULT 'workspace',
  provider_dispatch_id VARCHAR(255), workspace_identity VARCHAR(128) NOT NULL DEFAULT 'default',
  dispatch_status VARCHAR(32) NOT NULL DEFAULT 'dispatch_pending',
  fallback_attempted BOOLEAN NOT NULL DEFAULT 0, fallback_reason VARCHAR(64),
  dispatch_uncertain BOOLEAN NOT NULL DEFAULT 0, api_failure_category VARCHAR(64),
  cli_fallback_used BOOLEAN NOT NULL DEFAULT 0, cli_preflight_passed BOOLEAN,
  prompt TEXT, output TEXT, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL,
  CONSTRAINT ck_node_runs_selected_provider_allowed CHECK (selected_provider IN ('workspace','docker','kubernetes')),
  CONSTRAINT ck_node_runs_final_provider_allowed CHECK (final_provider IN ('workspace','docker','kubernetes')),
  CONSTRAINT ck_node_runs_dispatch_status_allowed CHECK (dispatch_status IN ('dispatch_pending','dispatch_submitted','dispatch_confirmed','dispatch_failed','fallback_started')),
  CONSTRAINT ck_node_runs_fallback_reason_consistency CHECK (fallback_attempted = 1 OR fallback_reason IS NULL),
  CONSTRAINT ck_node_runs_fallback_terminal_provider CHECK (fallback_attempted = 0 OR final_provider = 'workspace')
);
CREATE UNIQUE INDEX uq_agent_tasks_provider_dispatch_id ON agent_tasks (provider_dispatch_id) WHERE provider_dispatch_id IS NOT NULL;
CREATE VIEW tasks AS SELECT * FROM agent_tasks;
CREATE VIEW node_runs AS SELECT * FROM agent_tasks;

INSERT INTO integration_settings (provider, "key", value, created_at, updated_at)
SELECT 'node_executor', column1, column2, '2026-02-16 16:40:00', '2026-02-16 16:40:00' FROM (VALUES
  ('provider', 'docker'), ('fallback_provider', 'workspace'), ('fallback_enabled', 'true'),
  ('fallback_on_dispatch_error', 'true'), ('workspace_root', '/app/data/workspaces'),
  ('docker_host', 'unix:///var/run/docker.sock'), ('docker_image', 'llmctl-executor:latest'),
  ('docker_pull_policy', 'if_not_present'), ('docker_api_stall_seconds', '10'), ('dispatch_timeout_seconds', '60'),
  ('execution_timeout_seconds', '1800'), ('k8s_namespace', 'llmctl'), ('k8s_image', 'registry.example.test/llmctl-executor:7'),
  ('k8s_image_pull_secrets_json', '[{"name": "registry"'));
INSERT INTO integration_settings (provider, "key", value, created_at, updated_at)
VALUES ('jira', 'site', 'example', '2026-02-16 16:40:00', '2026-02-16 16:40:00');

-- Eight runs as they typically were, then the same again.
WITH RECURSIVE pass(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM pass WHERE n < 2),
kinds(k, status, chosen, used, id, state, tried, why) AS (VALUES
  (1, 'succeeded', 'workspace', 'workspace', 'workspace:workspace-10', 'dispatch_confirmed', 0, NULL),
  (2, 'succeeded', 'docker', 'docker', 'docker:0f3c9b7a1d2', 'dispatch_confirmed', 0, NULL),
  (3, 'succeeded', 'docker', 'workspace', 'workspace:workspace-30', 'fallback_started', 1, 'provider_unavailable'),
  (4, 'failed', 'docker', 'workspace', NULL, 'fallback_started', 1, 'image_pull_failed'),
  (5, 'failed', 'docker', 'docker', NULL, 'dispatch_failed', 0, NULL),
  (6, 'queued', 'workspace', 'workspace', NULL, 'dispatch_pending', 0, NULL),
  (7, 'canceled', 'docker', 'docker', 'docker:5b1e77c20aa', 'dispatch_confirmed', 0, NULL),
  (8, 'succeeded', 'kubernetes', 'kubernetes', 'kubernetes:llmctl/llmctl-exec-8-10', 'dispatch_confirmed', 0, NULL),
  (9, 'failed', 'kubernetes', 'kubernetes', NULL, 'dispatch_failed', 0, NULL))
INSERT INTO agent_tasks (id, status, kind, selected_provider, final_provider, provider_dispatch_id, dispatch_status,
  fallback_attempted, fallback_reason, created_at, updated_at)
SELECT n * 9 + k, status, 'task', chosen, used, id || n, state, tried, why, '2026-02-16 16:41:00', '2026-02-16 16:45:00'
FROM pass, kinds ORDER BY 1;
COMMIT;
