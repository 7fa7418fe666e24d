"""What the benchmarks share: a Prosody on loopback, `sotto-cli rpc`, slixmpp, processor time, tables."""

import json
import os
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import uuid

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = os.environ.get("CARGO_TARGET_DIR") or os.path.join(os.path.dirname(BENCH), "target")
BUILT = os.path.join(BENCH, "target")
SOTTO = os.environ.get("SOTTO", os.path.join(TARGET, "release/sotto"))
CLI = os.environ.get("SOTTO_CLI", os.path.join(TARGET, "release/sotto-cli"))
PYTHON = os.environ.get("SOTTO_PYTHON", os.path.join(TARGET, "live-venv/bin/python"))
DOMAIN = "example.org"
PASSWORD = "correct horse 7 battery"
CONTACTS = 5_000
MESSAGES = int(os.environ.get("MESSAGES", 1_000_000))


# ---- figures -------------------------------------------------------------------------------------


def cpu(pid):
    """Processor seconds of a process so far, of its threads that still run, to the nanosecond."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                total += int(file.read().split()[0])
        except FileNotFoundError:
            pass
    return total / 1e9


def status(pid, name):
    """A figure of /proc/PID/status, in KiB."""
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith(name + ":"):
                return int(line.split()[1])
    raise KeyError(name)


def ms(seconds):
    return f"{seconds * 1e3:.1f} ms" if seconds < 0.1 else f"{seconds * 1e3:.0f} ms"


def spread(values):
    return f"{ms(statistics.median(values))} ({ms(min(values))} to {ms(max(values))})"


class Table:
    def __init__(self, title):
        self.title = title
        self.rows = []

    def add(self, what, figure, budget="", met=None):
        note = budget + ("" if met is None else "  met" if met else "  MISSED")
        self.rows.append((what, figure, note))
        print(f"    {what}: {figure}", file=sys.stderr, flush=True)

    def print(self):
        load = os.getloadavg()[0]
        print(f"\n{self.title} (load {load:.1f} on {os.cpu_count()} cores)\n")
        wide = [max(len(row[i]) for row in self.rows) for i in (0, 1)]
        for what, figure, note in self.rows:
            print(f"  {what:<{wide[0]}}  {figure:>{wide[1]}}  {note}")
        sys.stdout.flush()


# ---- Prosody -------------------------------------------------------------------------------------


class Server:
    """The live suite's Prosody, with an archive in SQLite and an authority of its own."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="sotto-bench-")
        self.certificate()
        with socket.socket() as one, socket.socket() as two:
            for held in (one, two):
                held.bind(("127.0.0.1", 0))
            self.port, direct = one.getsockname()[1], two.getsockname()[1]
        template = os.path.join(os.path.dirname(BENCH), "testing/live/servers/prosody.cfg.lua")
        with open(template) as file:
            text = file.read()
        # What was missed comes from the archive alone.
        text = text.replace('"offline"; ', "")
        for name, value in {
            "STATE": self.folder, "MODULES": self.folder, "ROOT": str(os.geteuid() == 0).lower(), "DOMAIN": DOMAIN,
            "STARTTLS": str(self.port), "DIRECT": str(direct), "ARCHIVE": "sql", "HASH": "SHA-1", "LOG": "info",
            "EXTRA": "",
        }.items():
            text = text.replace(f"@{name}@", value)
        self.config = os.path.join(self.folder, "prosody.cfg.lua")
        with open(self.config, "w") as file:
            file.write(text)
        os.mkdir(os.path.join(self.folder, "data"))
        self.log = os.path.join(self.folder, "server.log")
        self.process = None

    def __enter__(self):
        output = open(os.path.join(self.folder, "output.txt"), "wb")
        self.process = subprocess.Popen(["prosody", "--config", self.config, "-F"], stdin=subprocess.DEVNULL,
                                        stdout=output, stderr=output)
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise SystemExit(f"prosody did not start: see {self.folder}")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def certificate(self):
        def openssl(*words):
            subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=Sotto bench authority",
                "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "server.key",
                "-out", "server.csr", "-subj", f"/CN={DOMAIN}")
        with open(os.path.join(self.folder, "ext"), "w") as file:
            file.write(f"subjectAltName=DNS:{DOMAIN}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n")
        openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "30", "-extfile", "ext", "-out", "server.crt")
        self.ca = os.path.join(self.folder, "ca.crt")

    def add_account(self, name, contacts=0, people="person{}@example.org"):
        """An account, and its roster before it is first read. Nobody in it is asked for presence."""
        subprocess.run(["prosodyctl", "--config", self.config, "register", name, DOMAIN, PASSWORD], check=True,
                       stdin=subprocess.DEVNULL, capture_output=True)
        if contacts:
            folder = os.path.join(self.folder, "data", DOMAIN.replace(".", "%2e"), "roster")
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, f"{name}.dat"), "w") as file:
                file.write('return {\n[false] = { ["version"] = 1; };\n')
                for n in range(contacts):
                    file.write(f'["{people.format(n)}"] = {{ ["subscription"] = "none"; ["name"] = "Person {n}"; '
                               f'["groups"] = {{ ["Group {n % 10}"] = true; }}; }};\n')
                file.write("};\n")
        return f"{name}@{DOMAIN}"

    def add_archive(self, user, number, peers=10):
        """Puts messages into the archive of an account: `number` of them, with some peers in turn."""
        database = sqlite3.connect(os.path.join(self.folder, "data/prosody.sqlite"), timeout=30)
        begun = int(time.time()) - number
        own = f"{user}@{DOMAIN}"
        with database:
            for n in range(number):
                peer = f"peer{n % peers}@{DOMAIN}"
                parties = (peer + "/desk", own) if n % 2 else (own + "/desk", peer)
                body = f"message {n}: see you at the station at five, and bring the letter from the library"
                stanza = (f"<message xmlns='jabber:client' type='chat' from='{parties[0]}' to='{parties[1]}' "
                          f"id='m{n}'><body>{body}</body></message>")
                database.execute(
                    'INSERT INTO prosodyarchive (host, "user", store, "when", "with", "key", "type", "value") '
                    "VALUES (?, ?, 'archive', ?, ?, ?, 'xml', ?)",
                    (DOMAIN, user, begun + n, peer, str(uuid.uuid4()), stanza))
        database.close()
        return body


# ---- the programs --------------------------------------------------------------------------------


def environment(server=None, **more):
    made = {**os.environ, "SOTTO_KEYRING": "off", "LANG": "C.UTF-8", **more}
    if server is not None:
        made["SSL_CERT_FILE"] = server.ca
    return made


class Rpc:
    """`sotto-cli rpc` over a profile."""

    def __init__(self, profile, server=None):
        self.process = subprocess.Popen([CLI, "--profile", profile, "rpc"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=environment(server))
        self.pid = self.process.pid
        self.last = 0
        self.events = []

    def ask(self, method, **params):
        return self.timed(method, **params)[1]

    def timed(self, method, **params):
        """Seconds until the answer was read, without making sense of it; and the answer. `spent` is then the processor
        time that the process took for it."""
        before = cpu(self.pid)
        self.last += 1
        line = json.dumps({"id": self.last, "method": method, "params": params}).encode() + b"\n"
        mine = b'{"id":%d,' % self.last
        begun = time.perf_counter()
        self.process.stdin.write(line)
        self.process.stdin.flush()
        while True:
            line = self.process.stdout.readline()
            if line.startswith(mine):
                break
            if not line:
                raise SystemExit(f"sotto-cli ended at {method}")
            self.events.append(json.loads(line))
        took = time.perf_counter() - begun
        self.spent = cpu(self.pid) - before
        answer = json.loads(line)
        if "error" in answer:
            raise SystemExit(f"{method}: {answer['error']['message']}")
        return took, answer["ok"].get("value")

    def open(self):
        """Waits until the engine has opened the profile with the key in its folder."""
        while self.ask("profile_status")["state"] != "open":
            self.wait_for_event("profile_changed")
        return self

    def wait_for_event(self, *names):
        while True:
            while self.events:
                if self.events.pop(0)["event"] in names:
                    return
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit("sotto-cli ended")
            self.events.append(json.loads(line))

    def wait_for_state(self, *states):
        while True:
            account = self.ask("account_list")[0]
            if account["state"]["state"] in states:
                return account
            if account["state"]["state"] in ("needs_answer", "needs_password", "stopped"):
                raise SystemExit(f"the account stands at {account['state_text']}: {account['problem']}")
            self.wait_for_event("account_changed")

    def end(self):
        self.process.stdin.close()
        self.process.wait(20)


class Slixmpp:
    """The peer in `peer.py`, commanded by lines."""

    def __init__(self, server, name):
        self.process = subprocess.Popen(
            [PYTHON, os.path.join(BENCH, "app/peer.py"), f"{name}@{DOMAIN}", str(server.port), server.ca],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PASSWORD": PASSWORD}, text=True)
        self.pid = self.process.pid
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("slixmpp ended")
        return json.loads(line)

    def ask(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return self.answer()

    def end(self):
        self.process.stdin.close()
        self.process.wait(20)


def settings(server):
    return {"server": {"host": "127.0.0.1", "port": server.port, "direct_tls": False}}


def large_profile():
    """The profile of a long life, made once and kept; its account is disabled."""
    folder = os.path.join(BUILT, f"app/large-{MESSAGES}")
    if not os.path.exists(os.path.join(folder, "made")):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        print(f"making {folder} …", file=sys.stderr, flush=True)
        subprocess.run([os.path.join(BUILT, "release/profile"), folder, "--contacts", str(CONTACTS), "--messages",
                        str(MESSAGES), "--address", f"sara@{DOMAIN}"], check=True, env=environment())
        open(os.path.join(folder, "made"), "w").close()
    return folder
