#!/usr/bin/env python3
"""A scripted XMPP client that Sotto did not write: slixmpp, commanded by JSON lines.

A command is an object with "do"; every event is an object with "event". The end of standard input ends it.
Commands: send, correct, typing, displayed, subscribe, accept, presence, archive.
"""
import argparse
import asyncio
import json
import logging
import ssl
import sys

import slixmpp


def tell(**event):
    print(json.dumps(event, ensure_ascii=False), flush=True)


class Peer(slixmpp.ClientXMPP):
    def __init__(self, jid, password):
        super().__init__(jid, password)
        for plugin in ("xep_0030", "xep_0085", "xep_0184", "xep_0199", "xep_0280", "xep_0308", "xep_0313", "xep_0333"):
            self.register_plugin(plugin)
        self.auto_authorize = None
        self.auto_subscribe = False
        self.commands = None
        self.add_event_handler("session_start", self.on_start)
        self.add_event_handler("message", self.on_message)
        self.add_event_handler("failed_auth", lambda _: tell(event="failed_auth"))
        self.add_event_handler("carbon_received", lambda m: self.on_carbon("received", m["carbon_received"]))
        self.add_event_handler("carbon_sent", lambda m: self.on_carbon("sent", m["carbon_sent"]))
        self.add_event_handler("presence_subscribe", lambda p: tell(event="subscribe", jid=p["from"].bare))
        self.add_event_handler("presence_subscribed", lambda p: tell(event="subscribed", jid=p["from"].bare))
        for kind in ("available", "unavailable", "chat", "away", "xa", "dnd"):
            self.add_event_handler("presence_" + kind, self.on_presence)
        self.add_event_handler("receipt_received", lambda m: tell(event="receipt", jid=m["from"].bare, id=m["receipt"]))
        self.add_event_handler("marker_displayed", lambda m: tell(event="displayed", jid=m["from"].bare, id=m["displayed"]["id"]))
        for state in ("active", "composing", "paused", "inactive", "gone"):
            self.add_event_handler("chatstate_" + state, lambda m, s=state: tell(event="typing", jid=m["from"].bare, state=s))

    async def on_start(self, _):
        await self.get_roster()
        await self.plugin["xep_0280"].enable()
        self.send_presence()
        tell(event="online", jid=str(self.boundjid))
        self.commands = asyncio.ensure_future(self.read_commands())

    def on_presence(self, presence):
        if presence["from"].bare != self.boundjid.bare:
            tell(event="presence", jid=presence["from"].bare, type=presence["type"], status=presence["status"])

    def on_message(self, message):
        if message["type"] not in ("chat", "normal") or not message["body"]:
            return
        replaces = message["replace"]["id"] if message.get_plugin("replace", check=True) else None
        tell(event="message", jid=message["from"].bare, id=message["id"], body=message["body"], replaces=replaces)

    def on_carbon(self, direction, message):
        if message["body"]:
            tell(event="carbon", direction=direction, to=message["to"].bare, body=message["body"])

    async def read_commands(self):
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=1 << 22)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while True:
            line = await reader.readline()
            if not line:
                await self.disconnect()
                return
            command = json.loads(line)
            try:
                await getattr(self, "do_" + command.pop("do"))(**command)
            except Exception as error:  # the test decides what a failure means
                tell(event="error", command=line.decode(), error=repr(error))

    async def do_send(self, to, body, receipt=True):
        message = self.make_message(mto=to, mbody=body, mtype="chat")
        message["id"] = self.new_id()
        message["request_receipt"] = receipt
        message.enable("markable")
        message.send()
        tell(event="sent", id=message["id"], body=body)

    async def do_correct(self, to, id, body):
        message = self.plugin["xep_0308"].build_correction(id_to_replace=id, mto=to, mtype="chat", mbody=body)
        message.send()
        tell(event="sent", id=message["id"], body=body)

    async def do_typing(self, to, state):
        message = self.make_message(mto=to, mtype="chat")
        message["chat_state"] = state
        message.send()

    async def do_displayed(self, to, id):
        message = self.make_message(mto=to, mtype="chat")
        message["displayed"]["id"] = id
        message.send()

    async def do_subscribe(self, to):
        self.send_presence_subscription(pto=to, ptype="subscribe")

    async def do_accept(self, to):
        self.send_presence_subscription(pto=to, ptype="subscribed")

    async def do_presence(self, show=None, status=None):
        self.send_presence(pshow=show, pstatus=status)

    async def do_archive(self, partner):
        """The whole archive with one partner, the oldest first, as the server keeps it: writers and texts, and for
        each the archive's id, the writer's id, the writing device and the time."""
        found, details = [], []
        after = None
        while True:
            rsm = {"max": 250}
            if after:
                rsm["after"] = after
            answer = await self.plugin["xep_0313"].retrieve(with_jid=slixmpp.JID(partner), rsm=rsm, iterator=False)
            results = answer["mam"]["results"]
            for result in results:
                forwarded = result["mam_result"]["forwarded"]
                stanza = forwarded["stanza"]
                if stanza["body"]:
                    found.append([stanza["from"].bare, stanza["body"]])
                    stamp = forwarded["delay"]["stamp"]
                    details.append([result["mam_result"]["id"], stanza["id"], str(stanza["from"]), str(stamp)])
                after = result["mam_result"]["id"]
            if answer["mam_fin"].xml.get("complete") == "true" or not results:
                break
        tell(event="archive", partner=partner, messages=found, details=details)


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("jid")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--ca", required=True)
    return parser


def run(arguments, make):
    """Signs in and stays until the end of standard input; its first line is the password."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    password = sys.stdin.readline().rstrip("\n")
    peer = make(arguments.jid, password)
    peer.ca_certs = arguments.ca
    peer.ssl_context.minimum_version = ssl.TLSVersion.TLSv1_2
    peer.connect(arguments.host, arguments.port)
    peer.loop.run_until_complete(peer.disconnected)


if __name__ == "__main__":
    run(options().parse_args(), Peer)
