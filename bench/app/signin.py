"""Signs in with TLS 1.3, SCRAM and a roster of 1,000, in turns with slixmpp, and says how much of it is the server's."""

import os
import statistics
import tempfile
import time

from lab import PASSWORD, Rpc, Server, Slixmpp, Table, cpu, ms, settings, spread

ROUNDS = int(os.environ.get("ROUNDS", 20))
CONTACTS = 1_000


class Figures:
    def __init__(self):
        self.wall, self.own, self.server = [], [], []


def sotto(server, address, figures):
    """A profile that knows nothing: no roster, no stream to resume, no key of an earlier sign-in."""
    with tempfile.TemporaryDirectory() as folder:
        rpc = Rpc(os.path.join(folder, "profile"), server)
        rpc.ask("profile_create", protection={"kind": "none"})
        own, theirs, begun = cpu(rpc.pid), cpu(server.process.pid), time.perf_counter()
        rpc.ask("account_add", network="xmpp", address=address, password=PASSWORD, remember=True, settings=settings(server))
        account = rpc.wait_for_state("online")
        online = time.perf_counter()
        while not rpc.ask("contact_list", filter=f"person{CONTACTS - 1}", offline=True):
            rpc.wait_for_event("contacts_changed")
        figures.wall.append(time.perf_counter() - begun)
        figures.own.append(cpu(rpc.pid) - own)
        # What the server still does of its own accord (more of its features are asked for) counts as its share, too.
        figures.server.append(cpu(server.process.pid) - theirs)
        assert "TLS 1.3" in account["connection"] and "SCRAM" in account["connection"], account["connection"]
        rpc.end()
        return account["connection"], online - begun


def main():
    table = Table(f"Sign in on loopback: TLS 1.3, SCRAM, a roster of {CONTACTS}; {ROUNDS} times each, in turns")
    with Server() as server:
        address = server.add_account("roster", CONTACTS)
        peer = Slixmpp(server, "roster")
        ours, theirs, online = Figures(), Figures(), []
        for _ in range(ROUNDS):
            how, seconds = sotto(server, address, ours)
            online.append(seconds)
            before = cpu(server.process.pid)
            answer = peer.ask("signin")
            assert answer["count"] >= CONTACTS, answer
            theirs.wall.append(answer["seconds"])
            theirs.own.append(answer["cpu"])
            theirs.server.append(cpu(server.process.pid) - before)
        peer.end()
    share = statistics.median(ours.server)
    factor = statistics.median(w / s for w, s in zip(ours.wall, ours.server))
    table.add("Sotto, request to roster shown", spread(ours.wall))
    table.add("Sotto, request to online", spread(online))
    table.add("of it processor time of the server", ms(share))
    table.add("of it processor time of Sotto", ms(statistics.median(ours.own)))
    table.add("Sotto's time / the server's own", f"{factor:.2f}", "≤ 1.5", factor <= 1.5)
    both = (share + statistics.median(ours.own)) / share
    table.add("processor time of both / the server's own", f"{both:.2f}", "≤ 1.5; what a busy machine can tell", both <= 1.5)
    factor = statistics.median(w / s for w, s in zip(theirs.wall, theirs.server))
    table.add("slixmpp, connect to roster", spread(theirs.wall))
    table.add("of it processor time of the server", ms(statistics.median(theirs.server)))
    table.add("of it processor time of slixmpp", ms(statistics.median(theirs.own)))
    table.add("slixmpp's time / the server's own", f"{factor:.2f}")
    table.add("how Sotto signed in", how)
    table.print()


main()
