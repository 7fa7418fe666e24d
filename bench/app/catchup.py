"""Reads 10,000 missed messages from Prosody's archive (SQLite), and slixmpp the same ones in the same run."""

import os
import tempfile
import time

from lab import DOMAIN, PASSWORD, Rpc, Server, Slixmpp, Table, cpu, settings, status

NUMBER = int(os.environ.get("NUMBER", 10_000))
PEERS = 10


def main():
    table = Table(f"Archive catch-up of {NUMBER} messages from Prosody, its archive in SQLite")
    with Server() as server, tempfile.TemporaryDirectory() as folder:
        # Of strangers only so much is kept; these are known people.
        address = server.add_account("sara", PEERS, f"peer{{}}@{DOMAIN}")
        rpc = Rpc(os.path.join(folder, "profile"), server)
        rpc.ask("profile_create", protection={"kind": "none"})
        account = rpc.ask("account_add", network="xmpp", address=address, password=PASSWORD, remember=True,
                          settings=settings(server))["id"]
        rpc.wait_for_state("online")
        # One message before, so that the archive has a known end; then away.
        last = rpc.ask("conversation_open", account=account, address=f"peer{(NUMBER - 1) % PEERS}@{DOMAIN}")["id"]
        sent = rpc.ask("message_send", conversation=last, body="I am off now")["id"]
        while rpc.ask("message_view", message=sent)["delivery"] == "waiting":
            rpc.wait_for_event("message_changed")
        rpc.ask("account_enable", account=account, enabled=False)
        rpc.wait_for_state("disabled")
        time.sleep(1)
        expected = server.add_archive("sara", NUMBER, PEERS)
        time.sleep(1)

        rest = status(rpc.pid, "VmRSS")
        with open(f"/proc/{rpc.pid}/clear_refs", "w") as file:
            file.write("5")
        own, theirs, begun = cpu(rpc.pid), cpu(server.process.pid), time.perf_counter()
        rpc.ask("account_enable", account=account, enabled=True)
        rpc.wait_for_state("online")
        signed_in = time.perf_counter()
        while rpc.ask("message_page", conversation=last, limit=1)["messages"][-1]["body"] != expected:
            rpc.wait_for_event("messages_added")
        done = time.perf_counter()
        own, theirs = cpu(rpc.pid) - own, cpu(server.process.pid) - theirs
        peak = status(rpc.pid, "VmHWM")
        count = sum(messages(rpc, account, f"peer{n}@{DOMAIN}") for n in range(PEERS))
        assert count == NUMBER + 1, f"{count} messages came"
        rpc.end()

        peer = Slixmpp(server, "sara")
        peer.ask("archive")
        before = cpu(server.process.pid)
        answer = peer.ask("archive")
        peer_server = cpu(server.process.pid) - before
        assert answer["count"] >= NUMBER, answer
        peer.end()

    rate = NUMBER / (done - begun)
    sending = NUMBER / theirs
    table.add("Sotto, enabled to the last message stored", f"{done - begun:.2f} s, {rate:.0f} messages/s")
    table.add("of it until online", f"{signed_in - begun:.2f} s")
    table.add("processor time of the server meanwhile", f"{theirs:.2f} s, at most {sending:.0f} messages/s")
    table.add("processor time of Sotto meanwhile", f"{own:.2f} s, at most {NUMBER / own:.0f} messages/s",
              "≥ the server's rate", own <= theirs)
    table.add("peak of memory (RSS) above idle", f"{(peak - rest) / 1024:.1f} MiB (of {peak / 1024:.1f})", "≤ 10 MB",
              (peak - rest) * 1024 <= 10_000_000)
    table.add("slixmpp, the same archive, nothing stored", f"{answer['seconds']:.2f} s, "
              f"{answer['count'] / answer['seconds']:.0f} messages/s")
    table.add("processor time of the server meanwhile", f"{peer_server:.2f} s")
    table.add("processor time of slixmpp meanwhile", f"{answer['cpu']:.2f} s")
    table.print()


def messages(rpc, account, address):
    conversation = rpc.ask("conversation_open", account=account, address=address)["id"]
    page = rpc.ask("message_page", conversation=conversation, limit=500)
    count = len(page["messages"])
    while page["older"] and page["messages"]:
        page = rpc.ask("message_page", conversation=conversation, before=page["messages"][0]["id"], limit=500)
        count += len(page["messages"])
    return count


main()
