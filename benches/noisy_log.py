#!/usr/bin/env python3
"""The terminal UI while a run writes 100 000 lines in a minute: is each line there, and is a key answered?

    benches/noisy_log.py PROGRAM [--context NAME --namespace NAME]

Without a context it opens the sandbox. Starts a sample of its own, follows its log, presses keys until the verdict, then
counts the lines that were kept. Needs python3. Prints one JSON document; exit 1 when a limit is
exceeded or a line is missing."""
import argparse, json, os, re, shutil, subprocess, sys, tempfile, time

from terminal import Session

LINES = 100_000
LIMITS = {"key_p99_ms": 16, "seconds": 75}
SAMPLE = '''summary = "prints 100 000 lines in a minute"
command = ["/bin/sh", "-c", """
i=1
while [ $i -le 100000 ]; do
  echo "line $i of 100000"
  [ $((i % 1700)) -eq 0 ] && sleep 1
  i=$((i + 1))
done
"""]
timeout_seconds = 300
'''


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--context")
    parser.add_argument("--namespace", default="llmctl")
    arguments = parser.parse_args()
    program = shutil.which(arguments.program) or os.path.abspath(arguments.program)
    where = ["--context", arguments.context, "-n", arguments.namespace] if arguments.context else []
    with tempfile.TemporaryDirectory() as home:
        samples = f"{home}/config/llmctl-dev/samples"
        os.makedirs(samples)
        with open(f"{samples}/minute.toml", "w") as out:
            out.write(SAMPLE)
        session = Session([program, *where] if where else [program, "demo"], home)
        try:
            session.until(r"● live")
            os.write(session.terminal, b"3r")
            session.until(r"bad-image")
            while not re.search(r"▸ ?minute", session.screen.text()):
                # The screen changes by itself too, when it is known what the cluster has: the key is given a moment.
                os.write(session.terminal, b"j")
                session.settle(0.1)
            os.write(session.terminal, b"\r")
            begin = time.monotonic()
            session.until(r"· 1 running", 120)
            os.write(session.terminal, b"l")
            session.until(r"line \d+ of 100000", 60)
            keys = []
            while not re.search(r"✓ success|✗", session.screen.text()) and time.monotonic() - begin < 300:
                # Times beside the lines and away again: what comes by itself is no answer.
                for shown in (r"│ \d\d:\d\d:\d\d\S* +line \d", r"│ line \d"):
                    pressed = time.monotonic()
                    os.write(session.terminal, b"t")
                    keys.append((session.until(shown) - pressed) * 1000)
                    session.settle(0.1)
            seconds = time.monotonic() - begin
            session.settle(3)
            memory = session.resident(), session.resident("VmHWM")
        finally:
            session.close()
        log = subprocess.run(
            [program, *(where or ["--sandbox"]), "runs", "logs", "last"], capture_output=True, text=True,
            env={"PATH": os.environ["PATH"], "HOME": home, "XDG_CONFIG_HOME": f"{home}/config", "XDG_STATE_HOME": f"{home}/state",
                 "KUBECONFIG": os.environ.get("KUBECONFIG", "")},
        ).stdout
    kept = [int(n) for n in re.findall(r"^line (\d+) of 100000$", log, re.M)]
    keys.sort()
    found = {
        "seconds": round(seconds, 1), "lines": len(kept), "in_order": kept == list(range(1, LINES + 1)), "keys": len(keys),
        "key_p50_ms": round(keys[len(keys) // 2], 1), "key_p99_ms": round(keys[int(len(keys) * 0.99)], 1),
        "key_max_ms": round(keys[-1], 1), "rss_mb": round(memory[0], 1), "peak_mb": round(memory[1], 1),
    }
    found["exceeded"] = [name for name, limit in LIMITS.items() if found[name] > limit] + ([] if found["in_order"] else ["lines"])
    print(json.dumps(found, indent=2))
    sys.exit(1 if found["exceeded"] else 0)


main()
