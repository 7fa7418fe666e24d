"""OTR version 2 by Debian's python3-potr, for otr_peer.py.

The package of Debian 12 was turned to Cryptodome by name only: Cryptodome's DSA keys neither sign nor verify plain
numbers, and its counter mode takes no function. `Key` and `counter_mode` below lend potr what it expects.
"""
import os

import potr
from Cryptodome.Cipher import AES
from Cryptodome.PublicKey import DSA
from potr import context, crypt, proto
from potr.compatcrypto import common, pycrypto
from potr.utils import bytes_to_long, long_to_bytes

from peer import tell


class Key(pycrypto.DSAKey):
    __hash__ = pycrypto.DSAKey.__hash__

    @classmethod
    def generate(cls):
        key = DSA.generate(1024)
        return cls((key.y, key.g, key.p, key.q, key.x), private=True)

    def sign(self, data):
        key = self.priv
        k = pycrypto.randrange(2, key.q)
        r = pow(key.g, k, key.p) % key.q
        s = pow(k, -1, key.q) * (bytes_to_long(data) + key.x * r) % key.q
        return long_to_bytes(r, 20) + long_to_bytes(s, 20)

    def verify(self, data, sig):
        key, r, s = self.pub, bytes_to_long(sig[:20]), bytes_to_long(sig[20:])
        if not (0 < r < key.q and 0 < s < key.q):
            return False
        w = pow(s, -1, key.q)
        return pow(key.g, bytes_to_long(data) * w, key.p) * pow(key.y, r * w, key.p) % key.p % key.q == r


def counter_mode(key, counter=0):
    # potr takes a fresh cipher for every message, so the lower half of its counter is always 0.
    prefix = counter if isinstance(counter, int) else counter.prefix
    return AES.new(key, AES.MODE_CTR, nonce=prefix.to_bytes(8, "big"), initial_value=0)


common.pkTypes[Key.keyType] = Key
crypt.AESCTR = counter_mode


class Talk(context.Context):
    def getPolicy(self, key):
        return key in ("ALLOW_V2", "WHITESPACE_START_AKE", "ERROR_START_AKE")

    def inject(self, msg, appdata=None):
        self.user.owner.inject(self.peer, msg.decode())

    def setState(self, newstate):
        super().setState(newstate)
        if newstate == context.STATE_ENCRYPTED:
            tell(event="private", code=self.getCurrentKey().cfingerprint(), version=2)
        elif newstate == context.STATE_FINISHED:
            tell(event="over")


class Account(context.Account):
    contextclass = Talk

    def __init__(self, owner, path):
        super().__init__(owner.boundjid.bare, "xmpp", 0)
        self.owner, self.path = owner, path

    def loadPrivkey(self):
        if not os.path.exists(self.path):
            return None
        with open(self.path, "rb") as file:
            return potr.crypt.PK.parsePrivateKey(file.read())[0]

    def savePrivkey(self):
        with open(self.path, "wb") as file:
            file.write(self.getPrivkey().serializePrivateKey())

    def saveTrusts(self):
        """A check's outcome is not kept."""


class Potr:
    def __init__(self, folder):
        self.folder = folder

    async def start(self, owner):
        self.account = Account(owner, os.path.join(self.folder, "potr.key"))
        self.account.getPrivkey()

    async def receive(self, jid, body):
        talk = self.account.getContext(jid)
        try:
            text, tlvs = talk.receiveMessage(body.encode())
        except (context.UnencryptedMessage, context.NotOTRMessage) as clear:
            tell(event="message", jid=jid, body=clear.args[0].decode())
            return
        except (context.ErrorReceived, context.NotEncryptedError) as fault:
            tell(event="fault", words=repr(fault))
            return
        for tlv in tlvs:
            self.check(talk, tlv)
        if text is not None:
            tell(event="private_message", jid=jid, body=text.decode())

    def check(self, talk, tlv):
        question = ""
        if isinstance(tlv, proto.SMP1QTLV):
            question = tlv.msg.decode()
        if isinstance(tlv, (proto.SMP1TLV, proto.SMP1QTLV)):
            tell(event="check", state="asked", question=question)
        elif isinstance(tlv, (proto.SMP3TLV, proto.SMP4TLV)):
            tell(event="check", state="succeeded" if talk.smpIsSuccess() else "failed", question="")
        elif isinstance(tlv, proto.SMPABORTTLV):
            tell(event="check", state="stopped", question="")

    async def begin(self, to):
        talk = self.account.getContext(to)
        self.account.owner.inject(to, self.account.getDefaultQueryMessage(talk.getPolicy).decode())

    async def say(self, to, body):
        self.account.getContext(to).sendMessage(context.FRAGMENT_SEND_ALL, body.encode())

    async def end(self, to):
        self.account.getContext(to).disconnect()

    async def ask(self, to, secret, question):
        self.account.getContext(to).smpInit(secret.encode(), question=question and question.encode())

    async def answer(self, to, secret):
        self.account.getContext(to).smpGotSecret(secret.encode())

    async def stop(self, to):
        self.account.getContext(to).smpAbort()

    async def size(self, count):
        self.account.maxMessageSize = count

    async def code(self):
        tell(event="code", code=self.account.getPrivkey().cfingerprint())
