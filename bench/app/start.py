"""Start, memory and idle cost of the window, beside Pidgin with an account on the same Prosody, under Xvfb.

    start.py [window|signin]

`window`: bench-window over both programs in turns. `signin`: from exec to the server's line that says who signed in.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from lab import (BUILT, CONTACTS, DOMAIN, MESSAGES, PASSWORD, SOTTO, Rpc, Server, Table, environment, large_profile, settings,
                 spread)

RUNS = int(os.environ.get("RUNS", 5))
PATIENCE = 30


class Screen:
    """An Xvfb of its own."""

    def __enter__(self):
        read, write = os.pipe()
        self.process = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
                                        pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write)
        with open(read) as answer:
            number = answer.readline().strip()
        # No bus: none of the programs speaks to a desktop here.
        self.variables = {"DISPLAY": f":{number}", "DBUS_SESSION_BUS_ADDRESS": "disabled:", "NO_AT_BRIDGE": "1",
                          "SOTTO_RENDERER": "software"}
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)


def pidgin(server, folder):
    """Pidgin's folder with one account that knows the server's certificate."""
    peers = os.path.join(folder, "certificates/x509/tls_peers")
    os.makedirs(peers)
    shutil.copy(os.path.join(server.folder, "server.crt"), os.path.join(peers, "127.0.0.1"))
    with open(os.path.join(folder, "accounts.xml"), "w") as file:
        file.write(f"""<?xml version='1.0' encoding='UTF-8' ?>
<account version='1.0'><account><protocol>prpl-jabber</protocol><name>pidgin@{DOMAIN}/bench</name>
<password>{PASSWORD}</password>
<statuses><status type='available' name='Available' active='true'><attributes/></status></statuses>
<settings><setting name='connect_server' type='string'>127.0.0.1</setting><setting name='port' type='int'>{server.port}</setting>
<setting name='connection_security' type='string'>require_tls</setting></settings>
<settings ui='gtk-gaim'><setting name='auto-login' type='bool'>1</setting></settings></account></account>
""")
    return f"pidgin --multiple --config={folder}"


def account(profile, server, address=None, enabled=True):
    """Points the account of a profile to the server, or makes one."""
    rpc = Rpc(profile, server)
    if address:
        rpc.ask("profile_create", protection={"kind": "none"})
        rpc.ask("account_add", network="xmpp", address=address, password=PASSWORD, remember=True, settings=settings(server))
    else:
        rpc.open()
        known = rpc.ask("account_list")[0]["id"]
        if enabled:
            rpc.ask("account_configure", account=known, settings=settings(server))
            rpc.ask("account_password", account=known, password=PASSWORD, remember=True)
        rpc.ask("account_enable", account=known, enabled=enabled)
    rpc.wait_for_state("online" if enabled else "disabled")
    time.sleep(1)
    rpc.end()


def signed_in(server, command, variables, who):
    """Seconds from exec to the server's word that `who` is authenticated."""
    with open(server.log, "rb") as log:
        log.seek(0, os.SEEK_END)
        begun = time.perf_counter()
        process = subprocess.Popen(command.split(), env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        text = b""
        while time.perf_counter() - begun < PATIENCE:
            text += log.read()
            if b"Authenticated as " + who.encode() in text:
                took = time.perf_counter() - begun
                time.sleep(2)
                process.terminate()
                process.wait(20)
                return took
            time.sleep(0.0005)
    process.terminate()
    process.wait(20)
    raise SystemExit(f"{command} did not sign in: see {server.log}")


def main():
    parts = sys.argv[1:] or ["window", "signin"]
    large = large_profile()
    with Server() as server, Screen() as screen, tempfile.TemporaryDirectory() as folder:
        server.add_account("sara", CONTACTS)
        server.add_account("empty")
        server.add_account("pidgin")
        empty = os.path.join(folder, "empty")
        account(empty, server, f"empty@{DOMAIN}")
        account(large, server)
        try:
            programs = {
                "sotto-large": (f"{SOTTO} --profile {large}", f"sara@{DOMAIN}"),
                "sotto-empty": (f"{SOTTO} --profile {empty}", f"empty@{DOMAIN}"),
                "pidgin": (pidgin(server, os.path.join(folder, "purple")), f"pidgin@{DOMAIN}"),
            }
            variables = environment(server, HOME=folder, **screen.variables)
            variables.pop("WAYLAND_DISPLAY", None)
            if "window" in parts:
                print(f"\nStart, memory, idle; accounts signed in; sotto-large: {CONTACTS} contacts, {MESSAGES} messages "
                      f"(load {os.getloadavg()[0]:.1f})\nbudgets: mapped and painted ≤ 150 ms, ready ≤ 250 ms; PSS: large ≤ 60 "
                      "MiB, empty below Pidgin's; idle 0.0 %; minimum / median / maximum\n", flush=True)
                subprocess.run([os.path.join(BUILT, "window/release/bench-window"), str(RUNS),
                                *(f"{name}={command}" for name, (command, _) in programs.items())], check=True, env=variables)
            if "signin" in parts:
                table = Table("From exec to signed in, with the window")
                times = {name: [] for name in programs}
                for _ in range(RUNS):
                    for name, (command, who) in programs.items():
                        times[name].append(signed_in(server, command, variables, who))
                rival = statistics.median(times["pidgin"])
                for name, values in times.items():
                    met = None if name == "pidgin" else statistics.median(values) < rival
                    table.add(name, spread(values), "" if met is None else "below Pidgin's", met)
                table.print()
        finally:
            account(large, server, enabled=False)


main()
