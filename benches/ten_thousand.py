#!/usr/bin/env python3
"""The terminal UI over ten thousand executor Jobs on a real API server, beside what kubectl needs for the same.

    benches/ten_thousand.py PROGRAM [--context NAME] [--jobs 10000] [--keep]

Makes a namespace of its own with suspended Jobs of 7 KB, so that nothing runs; opens PROGRAM on a terminal; measures the
first rows and all rows after the program is connected, resident memory, the answer to a key, and the load of an idle
session; and takes the namespace away again. Needs kubectl and python3. Prints one JSON document; exit 1 when a limit is
exceeded."""
import argparse, concurrent.futures, json, os, shutil, subprocess, sys, tempfile, time

from terminal import Session

NAMESPACE = "llmctl-dev-ten-thousand"
LIMITS = {"first_rows_ms": 200, "all_rows_ms": 1500, "times_raw": 2.5, "rss_mb": 80, "key_p99_ms": 16, "idle_percent": 0.5}


def kubectl(arguments, **more):
    return subprocess.run(["kubectl", *CONTEXT, *arguments], check=True, stdout=subprocess.PIPE, **more).stdout


def job(number):
    labels = {
        "llmctl.executor": "true", "llmctl.provider": "kubernetes", "llmctl.flowchart.node_id": "1",
        "llmctl.flowchart.execution_id": str(number), "llmctl.workspace_identity": "default",
    }
    environment = [{"name": f"LLMCTL_FILLER_{n}", "value": "x" * 200} for n in range(16)]
    return {
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": f"llmctl-exec-1-{number}-task-none-{number:010x}", "namespace": NAMESPACE, "labels": labels},
        "spec": {
            "suspend": True, "backoffLimit": 0, "ttlSecondsAfterFinished": 1800,
            "template": {"metadata": {"labels": labels}, "spec": {
                "restartPolicy": "Never",
                "containers": [{"name": "executor", "image": "llmctl-executor-frontier:0.1.0", "env": environment}],
            }},
        },
    }


def fill(jobs, directory):
    """Creates the Jobs, in parallel: kubectl sends fifty a second at the most."""
    kubectl(["create", "namespace", NAMESPACE])
    parts = 10

    def part(at):
        path = os.path.join(directory, f"jobs-{at}.json")
        with open(path, "w") as out:
            json.dump({"apiVersion": "v1", "kind": "List", "items": [job(n) for n in range(at + 1, jobs + 1, parts)]}, out)
        kubectl(["create", "--validate=false", "-f", path])

    with concurrent.futures.ThreadPoolExecutor(parts) as pool:
        list(pool.map(part, range(parts)))


def raw():
    path = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
    times = []
    for _ in range(3):
        begin = time.monotonic()
        size = len(kubectl(["get", "--raw", path]))
        times.append(time.monotonic() - begin)
    return min(times) * 1000, size


def measure(program, jobs):
    raw_ms, size = raw()
    with tempfile.TemporaryDirectory() as home:
        session = Session([program, *CONTEXT, "-n", NAMESPACE], home)
        try:
            connected = session.until(r"● live")
            first = session.until(r"\d+ · \d+ waiting")
            all_rows = session.until(rf"\b{jobs} · {jobs} waiting")
            session.settle(3)
            keys = sorted(session.key(key) for key in [b"j", b"j", b"k", b"G", b"g"] * 100)
            found = {
                "jobs": jobs, "megabytes": round(size / 1e6, 1), "raw_ms": round(raw_ms),
                "connected_ms": round((connected - session.begin) * 1000),
                "first_rows_ms": round((first - connected) * 1000), "all_rows_ms": round((all_rows - connected) * 1000),
                "key_p50_ms": round(keys[len(keys) // 2], 1), "key_p99_ms": round(keys[int(len(keys) * 0.99)], 1),
            }
            session.calm()
            before, begin = session.ticks(), time.monotonic()
            while time.monotonic() - begin < 30:
                session.read(1)
            load = (session.ticks() - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - begin)
            found |= {"idle_percent": round(load * 100, 2), "rss_mb": round(session.resident(), 1), "peak_mb": round(session.resident("VmHWM"), 1)}
        finally:
            session.close()
    found["times_raw"] = round(found["all_rows_ms"] / raw_ms, 2)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--context")
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--keep", action="store_true", help="leave the namespace, and use one that is there")
    arguments = parser.parse_args()
    global CONTEXT
    CONTEXT = ["--context", arguments.context] if arguments.context else []
    program = shutil.which(arguments.program) or os.path.abspath(arguments.program)
    there = subprocess.run(["kubectl", *CONTEXT, "get", "namespace", NAMESPACE], capture_output=True).returncode == 0
    try:
        if not there:
            with tempfile.TemporaryDirectory() as directory:
                fill(arguments.jobs, directory)
        found = measure(program, arguments.jobs)
    finally:
        if not arguments.keep:
            kubectl(["delete", "namespace", NAMESPACE, "--wait=false"])
    found["exceeded"] = [name for name, limit in LIMITS.items() if found[name] > limit]
    print(json.dumps(found, indent=2))
    sys.exit(1 if found["exceeded"] else 0)


main()
