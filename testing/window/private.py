"""Private conversations through the real window: begun, verified, ended, required."""

import json
import os
import subprocess
import threading

from screen import until

PEER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live", "peer.py")

QUESTION = "Where did we shelter from the hail?"
ANSWER = "under the tram bridge"
KEPT_BACK = "Three from the hospital, one from the school."


def spelled(code):
    """A code as the window says it, sign by sign."""
    words = {"A": "alfa", "B": "bravo", "C": "charlie", "D": "delta", "E": "echo", "F": "foxtrot"}
    return "; ".join(", ".join(words.get(sign, sign) for sign in group) for group in code.split())


class Plain:
    """A program without private conversations: slixmpp, run by the live suite's `peer.py`."""

    def __init__(self, options, user, password):
        self.address = f"{user}@{options.domain}"
        self.process = subprocess.Popen(
            [options.python, PEER, f"{self.address}/slixmpp", options.host, str(options.port), "--ca", options.ca],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        self.events = []
        threading.Thread(target=self._read, daemon=True).start()
        self.process.stdin.write(password + "\n")
        self.process.stdin.flush()
        until("the plain program to be online", lambda: self.heard("online"))

    def _read(self):
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def heard(self, kind):
        return [event for event in list(self.events) if event["event"] == kind]

    def bodies(self):
        return [event["body"] for event in self.heard("message")]

    def tell(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


class PrivateSteps:
    """The steps of a suite that has `window`, `peer`, `options`, `picture`, `name`, `password`."""

    def private_steps(self):
        return [
            ("a private conversation begins from the label, and the label changes", self.begin_private),
            ("a question proves the other side, and the label says verified", self.verify_by_question),
            ("the codes of the options list both codes, as the other side has them", self.list_codes),
            ("the other side ends it: nothing is sent until the person chooses", self.ended_stops_sending),
            ("where privacy is required and not possible, the text is back in the field", self.required_refuses),
            ("lowering what is required asks once more", self.lowering_asks),
        ]

    def theirs(self):
        """Maryam's conversation, as the peer sees it."""
        return self.peer.talk_to(f"{self.name}@{self.options.domain}")

    def private_of(self, talk):
        return self.peer.ask("conversation_view", conversation=talk)["private"]

    def begin_private(self):
        w = self.window
        w.press("Leila Haddad, available")
        w.press("Privacy: to the server only")
        w.wait("Who can read this?")
        self.picture("privacy")
        w.press("Start a private conversation", "push button", exact=True)
        w.wait("Privacy: end-to-end, not verified")
        talk = self.theirs()
        until("the peer to be private too", lambda: self.private_of(talk)["state"] == "private")
        w.fill("Message to Leila", "Only for you.")
        w.key("Return")
        until("the private message at the peer", lambda: "Only for you." in self.peer.texts(talk))
        self.picture("private")

    def verify_by_question(self):
        w = self.window
        w.key("ctrl+i")
        w.press("Verify Leila Haddad")
        w.press("Ask a question", "page tab")
        w.fill("Question, which Leila will see", QUESTION)
        w.fill("The right answer", ANSWER)
        self.picture("verify-question")
        w.press("Ask Leila", "push button")
        talk = self.theirs()
        until("the question at the peer", lambda: self.private_of(talk)["verification"]["question"] == QUESTION)
        w.wait("Stop the check")
        self.picture("verify-waiting")
        self.peer.ask("verify_answer", conversation=talk, secret=ANSWER)
        w.wait("is verified.")
        self.picture("verify-succeeded")
        w.key("Escape")
        w.wait("Privacy: end-to-end, verified")
        self.picture("verified")

    def list_codes(self):
        w = self.window
        w.key("ctrl+comma")
        w.press("Security", "page tab")
        w.press("Show my code and the codes of others")
        theirs = next(key["code"] for key in self.peer.ask("own_key_list") if key["address"] == self.peer.address)
        mine = next(key["code"] for key in self.peer.ask("peer_key_list")
                    if key["address"] == f"{self.name}@{self.options.domain}")
        w.wait(f"Your code: {spelled(mine)}")
        w.wait(f"Code of Leila Haddad: {spelled(theirs)}")
        w.wait("Verified", "label")
        self.picture("codes")
        w.press("Back to Security")
        w.key("Escape")
        w.wait("Find a person or a word")

    def ended_stops_sending(self):
        w = self.window
        talk = self.theirs()
        self.peer.ask("private_end", conversation=talk)
        w.wait("ended the private conversation")
        before = self.peer.texts(talk)
        w.focus("Message to Leila")
        w.type("This must stay here.")
        w.key("Return")
        w.wait("Off: ")
        self.picture("ended")
        assert self.peer.texts(talk) == before, "nothing left"
        w.press("Begin again", "push button", exact=True)
        w.wait("Privacy: end-to-end, verified")
        w.focus("Message to Leila")
        w.key("Return")
        until("the message, once it is private again", lambda: "This must stay here." in self.peer.texts(talk))

    def required_refuses(self):
        w = self.window
        self.plain = Plain(self.options, "sara", self.options.password)
        w.key("ctrl+n")
        w.fill("Address", self.plain.address)
        w.fill("Name, as you call them", "Omar Mansour")
        w.press("Add this person")
        until("the request at Omar", lambda: self.plain.heard("subscribe"))
        self.plain.tell(do="accept", to=f"{self.name}@{self.options.domain}")
        w.wait("Omar Mansour, available")
        w.press("Omar Mansour, available")
        w.wait("Message to Omar")
        w.key("ctrl+i")
        w.press("Private messages to Omar")
        w.press("Required", "list item", exact=True)
        w.wait("Omar Mansour: required, a setting of its own")
        w.press("Close", "push button", exact=True)
        w.focus("Message to Omar")
        w.type(KEPT_BACK)
        w.key("Return")
        w.wait("Your message was not sent", deadline=60)
        until("the text in the field", lambda: w.text("Message to Omar") == KEPT_BACK)
        self.picture("required")
        heard = self.plain.bodies()
        assert heard and all(body.startswith("?OTR") for body in heard), heard
        assert not any(KEPT_BACK in body for body in heard), heard

    def lowering_asks(self):
        w = self.window

        def choose(policy):
            w.press("Private messages", "combo box", exact=True)
            w.press(policy, "list item", exact=True)

        w.key("ctrl+comma")
        w.press("Security", "page tab")
        choose("Required")
        choose("Off")
        w.wait("Allow unencrypted messages?")
        self.picture("lowering")
        w.press("Leave it as it is")
        # It stayed required: lowering it is asked about again.
        choose("Off")
        w.wait("Allow unencrypted messages?")
        w.press("Allow it", "push button", exact=True)
        until("the question to go", lambda: not w.look("Allow unencrypted messages?"))
        w.press("Back to your conversations")
        w.wait("Find a person or a word")
