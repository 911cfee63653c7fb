#!/usr/bin/env bash
# Time and memory of a migration of 200 000 run rows, on PostgreSQL and on SQLite: benches/migration.sh [PROGRAM [ROWS]]
# It starts a PostgreSQL of its own on a socket in a temporary directory; as root it runs as user postgres.
set -euo pipefail
program=$(realpath "${1:-target/release/llmctl-dev}")
rows=${2:-200000}
fixtures=$(dirname "$(realpath "$0")")/../tests/it/fixtures
bin=$(dirname "$(ls /usr/lib/postgresql/*/bin/initdb | tail -n 1)")
root=$(mktemp -d)
as=()
if [ "$(id -u)" -eq 0 ]; then
  chown postgres "$root"
  as=(setpriv --reuid postgres --regid postgres --clear-groups)
fi
trap '"${as[@]}" "$bin/pg_ctl" -D "$root/data" -m immediate stop > "$root/log" 2>&1 || true; rm -rf "$root"' EXIT
cd "$root"
"${as[@]}" "$bin/initdb" -D data -U llmctl --auth trust --encoding UTF8 --locale C > log
"${as[@]}" "$bin/pg_ctl" -D data -w -l server.log -o "-k $root -c listen_addresses=''" start > log
sql() { "${as[@]}" psql -q -v ON_ERROR_STOP=1 -h "$root" -U llmctl studio "$@"; }
"${as[@]}" "$bin/createdb" -h "$root" -U llmctl studio
sql -f - < "$fixtures/legacy-postgres.sql"
more() { # how the three kinds of rows are made, in the words of both databases
  echo "INSERT INTO agent_tasks (id, status, kind, selected_provider, final_provider, provider_dispatch_id, workspace_identity, dispatch_status, fallback_attempted, fallback_reason, dispatch_uncertain, cli_fallback_used, output, created_at, updated_at)
SELECT i, 'succeeded', 'task', 'docker', CASE WHEN i % 3 = 0 THEN 'workspace' ELSE 'docker' END, 'docker:' || i, 'default', 'dispatch_confirmed', $1, NULL, $2, $2, '$(printf 'x%.0s' $(seq 400))', '2026-02-16 16:41:00', '2026-02-16 16:41:30' FROM $3;"
}
more false false "generate_series(1000, $((rows + 999))) AS i" | sql -f -
sql -c 'VACUUM ANALYZE' -c 'CHECKPOINT'

measure() {
  python3 - "$program" "$root" "$@" <<'PY'
import os, resource, subprocess, sys, time
env = dict(os.environ, LLMCTL_DEV_STATE_DIR=sys.argv[2] + "/state", LLMCTL_DEV_CONFIG_DIR=sys.argv[2] + "/config")
start = time.monotonic()
done = subprocess.run([sys.argv[1], "migrate", *sys.argv[3:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
took = time.monotonic() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"{sys.argv[3]:8} exit {done.returncode}, {took:.1f} s, {peak:.0f} MiB at most", flush=True)
PY
}
all() {
  measure plan "$@"
  measure apply --yes --backup "$root/backup.jsonl" "$@"
  measure verify "$@"
  measure restore "$root/backup.jsonl" --yes "$@"
  rm "$root/backup.jsonl"
}
echo "PostgreSQL, $rows rows"
all --postgres "postgresql:///studio?user=llmctl&host=$root"
echo "SQLite, $rows rows"
python3 - "$root/old.sqlite3" "$fixtures/legacy-sqlite.sql" "$(more 0 0 "(WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < $((rows + 999))) SELECT i FROM n)")" <<'PY'
import sqlite3, sys
file = sqlite3.connect(sys.argv[1])
file.executescript(open(sys.argv[2]).read() + "BEGIN;" + sys.argv[3] + "COMMIT;")
PY
all --sqlite "$root/old.sqlite3"
