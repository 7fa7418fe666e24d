"""slixmpp, commanded by words: `signin` signs in once with the roster, `archive` reads the whole archive.

Each is answered by one line: {"seconds": …, "cpu": …, "count": …}.
"""

import asyncio
import json
import logging
import os
import ssl
import sys
import time

import slixmpp


class Peer(slixmpp.ClientXMPP):
    def __init__(self, jid, ca):
        super().__init__(jid, os.environ["PASSWORD"])
        self.register_plugin("xep_0313")
        self.ca_certs = ca
        self.ssl_context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.started = asyncio.get_event_loop().create_future()
        self.add_event_handler("session_start", lambda _: self.started.set_result(True))


async def signin(jid, port, ca):
    peer = Peer(jid, ca)
    peer.connect("127.0.0.1", port)
    await peer.started
    await peer.get_roster()
    peer.send_presence()
    return peer


async def archive(peer):
    count, after = 0, None
    while True:
        rsm = {"max": 250, **({"after": after} if after else {})}
        answer = await peer.plugin["xep_0313"].retrieve(rsm=rsm, iterator=False, timeout=60)
        for result in answer["mam"]["results"]:
            count += bool(result["mam_result"]["forwarded"]["stanza"]["body"])
            after = result["mam_result"]["id"]
        if answer["mam_fin"].xml.get("complete") == "true":
            return count


async def main(jid, port, ca):
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("{}", flush=True)
    peer = None
    while line := (await reader.readline()).decode().strip():
        if line == "archive" and peer is None:
            peer = await signin(jid, port, ca)
        wall, own = time.perf_counter(), time.process_time()
        if line == "signin":
            peer = await signin(jid, port, ca)
            count = len(peer.client_roster)
        else:
            count = await archive(peer)
        figures = {"seconds": time.perf_counter() - wall, "cpu": time.process_time() - own, "count": count}
        if line == "signin":
            await peer.disconnect()
        print(json.dumps(figures), flush=True)


logging.basicConfig(level=logging.ERROR)
asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
