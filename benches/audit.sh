#!/usr/bin/env bash
# Time and memory of an audit over a checkout of 5 000 files: benches/audit.sh [PROGRAM]
set -euo pipefail
program=$(realpath "${1:-target/release/llmctl-dev}")
checkout=$(mktemp -d)
trap 'rm -rf "$checkout"' EXIT
for folder in $(seq 50); do
  mkdir -p "$checkout/app/$folder"
  for file in $(seq 96); do
    for line in $(seq 40); do echo "value_$line = compute($line)  # nothing of interest in line $line"; done \
      > "$checkout/app/$folder/file_$file.py"
  done
  printf 'services:\n  llmctl-redis:\n    image: redis\n' > "$checkout/app/$folder/compose.yml"
  printf 'docker compose up -d\n' > "$checkout/app/$folder/up.sh"
  printf 'Run `docker compose up`.\n\n```sh\ndocker compose logs -f\n```\n' > "$checkout/app/$folder/README.md"
  printf 'kind: ConfigMap\ndata:\n  A: b\n' > "$checkout/app/$folder/map.yaml"
done
find "$checkout" -type f | wc -l
for turn in 1 2 3; do
  python3 - "$program" "$checkout" <<'PY'
import resource, subprocess, sys, time
start = time.monotonic()
done = subprocess.run([sys.argv[1], "audit", sys.argv[2], "--no-docker", "-o", "json"], stdout=subprocess.DEVNULL)
took = time.monotonic() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"exit {done.returncode}, {took * 1000:.0f} ms, {peak:.0f} MiB at most")
PY
done
