#!/usr/bin/env python3
"""A thousand runs, fifty at a time, in a sandbox of the program's own: are all verdicts right, and is anything left?

    benches/burst.py PROGRAM [--count 1000] [--parallel 50]

Prints one JSON document; exit 1 when a verdict is wrong or something was left behind."""
import argparse, json, os, subprocess, sys, tempfile, time


def below(parent):
    """Ids of all processes whose ancestor is `parent`."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stat:
                parents[int(name)] = int(stat.read().rsplit(") ", 1)[1].split()[1])
        except OSError:
            continue
    found, new = set(), {parent}
    while new:
        new = {child for child, of in parents.items() if of in new} - found
        found |= new
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--parallel", type=int, default=50)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        for directory in ["config", "state", "tmp"]:
            os.mkdir(f"{home}/{directory}")
        environment = {"PATH": os.environ["PATH"], "HOME": home, "XDG_CONFIG_HOME": f"{home}/config",
                       "XDG_STATE_HOME": f"{home}/state", "TMPDIR": f"{home}/tmp"}
        command = [os.path.abspath(arguments.program), "--sandbox", "run", "hello", "--count", str(arguments.count),
                   "--parallel", str(arguments.parallel), "-o", "json"]
        begin = time.monotonic()
        with open(f"{home}/out", "w") as out:
            child = subprocess.Popen(command, env=environment, cwd=home, stdout=out, stderr=subprocess.DEVNULL)
        descendants, files, memory = set(), 0, 0
        while child.poll() is None:
            descendants |= below(child.pid)
            try:
                files = max(files, len(os.listdir(f"/proc/{child.pid}/fd")))
                with open(f"/proc/{child.pid}/status") as status:
                    memory = max([memory, *(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))])
            except OSError:
                pass
            time.sleep(0.2)
        took = time.monotonic() - begin
        with open(f"{home}/out") as out:
            document = json.load(out)
        runs = document["runs"]
        found = {
            "exit": child.returncode, "seconds": round(took, 1), "verdicts": document["verdicts"],
            "logs_whole": sum(run["log"]["state"] == "whole" and run["log"]["lines"] == 6 for run in runs),
            "names": len({run["job"] for run in runs}),
            "processes_left": sum(os.path.exists(f"/proc/{one}") for one in descendants),
            "files_left": len(os.listdir(f"{home}/tmp")), "most_open_files": files, "most_mb": memory,
        }
    print(json.dumps(found, indent=2))
    right = {"success": arguments.count} == found["verdicts"] and found["logs_whole"] == found["names"] == arguments.count
    sys.exit(0 if right and not found["processes_left"] and not found["files_left"] else 1)


main()
