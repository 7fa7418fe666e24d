#!/usr/bin/env python3
"""The scripted client of peer.py with Off-the-Record Messaging that Sotto did not write.

With --libotr PROGRAM the messages go through libotr (otr/libotr_driver.c), which speaks versions 2 and 3; with --potr
through Debian's python3-potr, which speaks version 2. Keys lie in --folder and outlive the process; sessions do not.

More commands: begin, say, end, ask, answer, stop, size, code. More events: private, over, private_message, check,
fault, code.
"""
import asyncio
import os

import peer
from peer import tell

# libotr's events of a check (OtrlSMPEvent); progress and its own errors are not told.
CHECKS = {2: "stopped", 3: "cheated", 4: "asked", 5: "asked", 7: "succeeded", 8: "failed"}
ALLOW_V2, ALLOW_V3, ERROR_STARTS = 0x02, 0x04, 0x40


class Libotr:
    """One user of libotr in a process of its own."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.lock = asyncio.Lock()

    async def start(self, owner):
        self.owner = owner
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(self.program, stdin=pipe, stdout=pipe, limit=1 << 22)
        await self.do("user me", owner.boundjid.bare)
        await self.do(f"policy me {ALLOW_V2 | ALLOW_V3 | ERROR_STARTS}")
        known = os.path.exists(os.path.join(self.folder, "otr.private_key"))
        # Without a file of keys, saving makes it.
        await self.do("load me" if known else "save me", self.folder)

    async def do(self, command, *texts):
        words = [command, *(text.encode().hex() or "-" for text in texts)]
        async with self.lock:
            self.process.stdin.write((" ".join(words) + "\n").encode())
            learned = False
            while True:
                kind, *rest = (await self.process.stdout.readline()).decode().split() or ["failed"]
                if kind == "done":
                    break
                if kind == "failed":
                    raise RuntimeError(f"libotr on {command}: {' '.join(rest)}")
                if not (kind == "insecure" and command.startswith("end")):
                    self.heard(kind, rest[1:])
                learned = learned or kind in ("secure", "fingerprint")
        if learned:
            await self.do("save me", self.folder)

    def heard(self, kind, words):
        text = [bytes.fromhex(word).decode(errors="replace") if len(word) % 2 == 0 and word != "-" else "" for word in words] \
            if kind in ("inject", "plain", "private", "own") else []
        if kind == "inject":
            self.owner.inject(text[0], text[1])
        elif kind == "plain":
            tell(event="message", jid=text[0], body=text[1])
        elif kind == "private":
            tell(event="private_message", jid=text[0], body=text[1])
        elif kind in ("secure", "still-secure"):
            tell(event="private", code=words[1], version=int(words[2]))
        elif kind == "insecure":
            tell(event="over")
        elif kind == "smp" and int(words[1]) in CHECKS:
            question = "" if words[3] == "-" else bytes.fromhex(words[3]).decode()
            tell(event="check", state=CHECKS[int(words[1])], question=question)
        elif kind == "message":
            tell(event="fault", words=" ".join(words[1:]))
        elif kind == "own":
            tell(event="code", code=text[0].replace(" ", "").lower())

    async def receive(self, jid, body):
        await self.do("receive me", jid, body)

    async def begin(self, to):
        await self.do("start me", to)

    async def say(self, to, body):
        await self.do("send me", to, body)

    async def end(self, to):
        await self.do("end me", to)

    async def ask(self, to, secret, question):
        if question is None:
            await self.do("smp-start me", to, secret)
        else:
            await self.do("smp-ask me", to, question, secret)

    async def answer(self, to, secret):
        await self.do("smp-answer me", to, secret)

    async def stop(self, to):
        await self.do("smp-abort me", to)

    async def size(self, count):
        await self.do(f"size me {count}")

    async def code(self):
        await self.do("list me")


class OtrPeer(peer.Peer):
    def __init__(self, jid, password, talker):
        super().__init__(jid, password)
        self.talker = talker
        self.places = {}
        self.arrived = asyncio.Queue()

    async def on_start(self, event):
        await self.talker.start(self)
        self.reading = asyncio.ensure_future(self.read_messages())
        await super().on_start(event)

    def on_message(self, message):
        if message["type"] in ("chat", "normal") and message["body"]:
            self.places[message["from"].bare] = message["from"]
            self.arrived.put_nowait((message["from"].bare, message["body"]))

    async def read_messages(self):
        while True:
            jid, body = await self.arrived.get()
            try:
                await self.talker.receive(jid, body)
            except Exception as error:  # the test decides what a failure means
                tell(event="error", command="receive", error=repr(error))

    def inject(self, to, text):
        """Sends what OTR made, to the device that was heard last, as programs with libotr do."""
        message = self.make_message(mto=self.places.get(to, to), mbody=text, mtype="chat")
        message["id"] = self.new_id()
        message.send()

    async def do_begin(self, to):
        await self.talker.begin(to)

    async def do_say(self, to, body):
        await self.talker.say(to, body)

    async def do_end(self, to):
        await self.talker.end(to)

    async def do_ask(self, to, secret, question=None):
        await self.talker.ask(to, secret, question)

    async def do_answer(self, to, secret):
        await self.talker.answer(to, secret)

    async def do_stop(self, to):
        await self.talker.stop(to)

    async def do_size(self, count):
        await self.talker.size(count)

    async def do_code(self):
        await self.talker.code()


def main():
    parser = peer.options()
    parser.add_argument("--folder", required=True)
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--libotr")
    way.add_argument("--potr", action="store_true")
    arguments = parser.parse_args()
    if arguments.potr:
        from potr_peer import Potr
        talker = Potr(arguments.folder)
    else:
        talker = Libotr(arguments.libotr, arguments.folder)
    peer.run(arguments, lambda jid, password: OtrPeer(jid, password, talker))


if __name__ == "__main__":
    main()
