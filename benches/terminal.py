"""A program on a terminal, for the measuring scripts beside: what its screen shows, how soon it answers, what it needs."""
import fcntl, os, pty, re, select, signal, struct, termios, time

COLUMNS, ROWS = 120, 40


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
    def __init__(self, command, home):
        environment = {
            "PATH": os.environ["PATH"], "HOME": home, "XDG_CONFIG_HOME": f"{home}/config", "XDG_STATE_HOME": f"{home}/state",
            "TERM": "xterm-256color", "LANG": "C.UTF-8",
            "KUBECONFIG": os.environ.get("KUBECONFIG", os.path.expanduser("~/.kube/config")),
        }
        self.begin = time.monotonic()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, environment)
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
