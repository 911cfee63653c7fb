#!/usr/bin/env python3
"""The terminal UI over ten thousand executor Jobs on a real API server, beside what kubectl needs for the same.

    benches/ten_thousand.py PROGRAM [--context NAME] [--jobs 10000] [--keep]

Makes a namespace of its own with suspended Jobs of 7 KB, so that nothing runs; opens PROGRAM on a terminal; measures the
first rows and all rows after the program is connected, resident memory, the answer to a key, and the load of an idle
session; and takes the namespace away again. Needs kubectl and python3. Prints one JSON document; exit 1 when a limit is
exceeded."""
import argparse, concurrent.futures, fcntl, json, os, pty, re, select, shutil, signal, struct, subprocess, sys, tempfile, termios, time

NAMESPACE = "llmctl-dev-ten-thousand"
COLUMNS, ROWS = 120, 40
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


class Screen:
    """As much of a terminal as the program uses: places, text, and sequences that are skipped."""

    SEQUENCE = re.compile(r"\x1b\[([?>=]?)([\d;]*)([A-Za-z])|\x1b\][^\x07]*\x07|\x1b[()=>78].?")

    def __init__(self):
        self.cells = [[" "] * COLUMNS for _ in range(ROWS)]
        self.row = self.column = 0
        self.rest = ""

    def feed(self, data):
        text, at = self.rest + data, 0
        self.rest = ""
        while at < len(text):
            if text[at] == "\x1b":
                found = self.SEQUENCE.match(text, at)
                if not found:
                    self.rest = text[at:]
                    return
                if found[3] == "H":
                    place = [int(n) for n in (found[2] or "1;1").split(";")]
                    self.row, self.column = place[0] - 1, place[1] - 1
                at = found.end()
                continue
            if text[at] >= " " and self.row < ROWS and self.column < COLUMNS:
                self.cells[self.row][self.column] = text[at]
                self.column += 1
            at += 1

    def text(self):
        return "\n".join("".join(row) for row in self.cells)


class Session:
    def __init__(self, program, home):
        environment = {
            "PATH": os.environ["PATH"], "HOME": home, "XDG_CONFIG_HOME": f"{home}/config", "XDG_STATE_HOME": f"{home}/state",
            "TERM": "xterm-256color", "LANG": "C.UTF-8",
            "KUBECONFIG": os.environ.get("KUBECONFIG", os.path.expanduser("~/.kube/config")),
        }
        arguments = [program, *CONTEXT, "-n", NAMESPACE]
        self.begin = time.monotonic()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(program, arguments, environment)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.kill(self.pid, signal.SIGWINCH)
        self.screen = Screen()
        self.partial = b""
        self.bytes = 0

    def read(self, patience):
        if not select.select([self.terminal], [], [], patience)[0]:
            return False
        new = os.read(self.terminal, 1 << 16)
        self.bytes += len(new)
        data = self.partial + new
        cut = len(data)
        while cut > 0 and (data[cut - 1] & 0xC0) == 0x80:
            cut -= 1
        if cut and data[cut - 1] >= 0xC0 and len(data) - cut + 1 < {0xC: 2, 0xD: 2, 0xE: 3, 0xF: 4}[data[cut - 1] >> 4]:
            self.partial, data = data[cut - 1 :], data[: cut - 1]
        else:
            self.partial = b""
        self.screen.feed(data.decode("utf-8", "replace"))
        return True

    def until(self, pattern, patience=60):
        end = time.monotonic() + patience
        while not re.search(pattern, self.screen.text()):
            if time.monotonic() > end:
                raise SystemExit(f"waited for {pattern}; the screen is\n{self.screen.text()}")
            self.read(0.05)
        return time.monotonic()

    def settle(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read(0.1)

    def calm(self):
        """New Jobs make events for minutes, twenty a second; nothing is idle before they are told."""
        for _ in range(200):
            before = self.bytes
            self.settle(5)
            if self.bytes - before < 600:
                return

    def key(self, key):
        while self.read(0):
            pass
        begin = time.monotonic()
        os.write(self.terminal, key)
        if not self.read(1):
            raise SystemExit("a key was not answered")
        return (time.monotonic() - begin) * 1000

    def ticks(self):
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rsplit(") ", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def resident(self, name="VmRSS"):
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(name)) / 1024

    def close(self):
        os.write(self.terminal, b"q")
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                return
            try:
                self.read(0.1)
            except OSError:
                time.sleep(0.05)
        os.kill(self.pid, signal.SIGKILL)


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
        session = Session(program, home)
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
