"""The main path through the real window, under Xvfb, against a real server.

    suite.py --sotto PROGRAM --cli PROGRAM --python PROGRAM --host H --port P --domain D --ca FILE --pictures DIR

The window is used as a person would: things are found by the names that a screen reader says, and typed on the keyboard.
The other side of the conversation is `sotto-cli rpc`, or slixmpp where it must be a program without private
conversations. The last line is `N passed, N failed`.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from keeping import KeepingSteps
from private import PrivateSteps
from screen import Missing, Window, until
from sealed import FIRST as PASSPHRASE
from sealed import SealedSteps
from tray import TraySteps


class Peer:
    """The other side: a `sotto-cli rpc` of its own profile."""

    def __init__(self, options, folder, user, password):
        self.address = f"{user}@{options.domain}"
        self.options = options
        self.process = subprocess.Popen(
            [options.cli, "--profile", os.path.join(folder, user), "rpc"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        self.lock = threading.Lock()
        self.answers = {}
        self.last = 0
        threading.Thread(target=self._read, daemon=True).start()
        self.ask("profile_create", protection={"kind": "none"})
        server = {"host": options.host, "port": options.port}
        self.account = self.ask(
            "account_add", network="xmpp", address=self.address, password=password, remember=True,
            settings={"server": server},
        )["id"]
        until("the peer to be online", lambda: self.ask("account_list")[0]["state"]["state"] == "online")

    def _read(self):
        for line in self.process.stdout:
            message = json.loads(line)
            if "id" in message:
                with self.lock:
                    self.answers[message["id"]] = message

    def ask(self, method, **params):
        self.last += 1
        mine = self.last
        self.process.stdin.write(json.dumps({"id": mine, "method": method, "params": params}) + "\n")
        self.process.stdin.flush()

        def answered():
            with self.lock:
                return self.answers.pop(mine, None)

        answer = until(f"an answer to {method}", answered)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']['message']}")
        return answer["ok"].get("value")

    def talk_to(self, address):
        return self.ask("conversation_open", account=self.account, address=address)["id"]

    def texts(self, conversation):
        page = self.ask("message_page", conversation=conversation, limit=100)
        return [m["body"] for m in page["messages"]]

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Suite(KeepingSteps, SealedSteps, PrivateSteps, TraySteps):
    def __init__(self, options):
        self.options = options
        self.folder = tempfile.mkdtemp(prefix="sotto-window-")
        self.profile = os.path.join(self.folder, "profile")
        self.passed = 0
        self.failed = 0
        self.process = None
        self.window = None
        self.peer = None
        self.plain = None
        self.name = "maryam"
        self.passphrase = PASSPHRASE
        self.password = "a quiet password 17"

    # ---- help ----------------------------------------------------------------------------------

    def start(self):
        self.process = subprocess.Popen(
            [self.options.sotto, "--profile", self.profile], stdout=subprocess.DEVNULL,
            stderr=open(os.path.join(self.options.pictures, "sotto.log"), "ab"),
        )
        self.window = Window(self.process.pid)
        # Without a window manager nothing has the keyboard until it is given.
        until("the window to take the keyboard", self.take_keyboard)

    def take_keyboard(self):
        found = subprocess.run(["xdotool", "search", "--onlyvisible", "--pid", str(self.process.pid)],
                               capture_output=True, text=True, check=False).stdout.split()
        if not found:
            found = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "Sotto"],
                                   capture_output=True, text=True, check=False).stdout.split()
        return bool(found) and subprocess.run(["xdotool", "windowfocus", "--sync", found[-1]], check=False).returncode == 0

    def stop(self):
        """Quits; nothing is asked, and the program ends well."""
        self.window.key("ctrl+q")
        until("the program to end", lambda: self.process.poll() is not None)
        assert self.process.returncode == 0, self.process.returncode

    def unlock(self):
        """Opens the profile with its passphrase."""
        self.window.fill("Passphrase", PASSPHRASE)
        self.window.key("Return")
        self.window.wait("Leila Haddad")

    def picture(self, name):
        path = os.path.join(self.options.pictures, f"{name}.png")
        subprocess.run(["import", "-window", "root", path], check=False)

    def step(self, name, act):
        begun = time.monotonic()
        try:
            act()
            self.passed += 1
            print(f"PASS [{time.monotonic() - begun:6.2f}s] window: {name}", flush=True)
            return True
        except Exception as error:
            self.failed += 1
            print(f"FAIL [{time.monotonic() - begun:6.2f}s] window: {name}\n     {error!r}", flush=True)
            if not isinstance(error, Missing):
                traceback.print_exc()
            try:
                self.picture("failed")
                for role, text in self.window.names():
                    if text:
                        print(f"     {role}: {text}")
            except Exception:
                pass
            return False

    # ---- the path ------------------------------------------------------------------------------

    def first_start(self):
        self.start()
        w = self.window
        w.fill("Passphrase", PASSPHRASE)
        w.wait("Strong")
        w.fill("The same once more", "lantern copper")
        w.press("Continue")
        w.wait("The two are not the same.")
        self.picture("first-start")
        w.fill("The same once more", PASSPHRASE)
        w.press("Continue")
        w.wait("Master password successfully set up")
        w.wait("Create an account here")
        assert sorted(os.listdir(self.profile)), "the profile is there"

    def advanced(self):
        w = self.window
        w.press("Server, proxy and other settings")
        w.press("Connect to a server of my own choice")
        w.fill("Server", self.options.host)
        w.fill("Port", "99999")
        w.press("Use these")
        w.wait("A port is a number from 1 to 65535.")
        w.fill("Port", str(self.options.port))
        w.press("Use these")
        w.wait("Create an account here")
        self.picture("sign-in")

    def name_is_taken(self):
        w = self.window
        w.press("Create an account here")
        w.fill("Another server", self.options.domain)
        w.press("Use this server")
        w.wait("answered over a verified connection")
        w.fill("Name, before @", "leila")
        w.fill("Password", self.password)
        w.fill("The same once more", "something else")
        w.press("Create account")
        w.wait("The two are not the same.")
        w.fill("The same once more", self.password)
        w.press("Create account")
        w.wait("Somebody already has this name")
        self.picture("name-taken")

    def another_name(self):
        w = self.window
        w.fill("Name, before @", self.name)
        w.press("Create account")
        w.wait("Who would you like to talk to?")
        w.wait("Online")
        self.picture("empty")

    def a_request(self):
        w = self.window
        mine = f"{self.name}@{self.options.domain}"
        self.peer = Peer(self.options, self.folder, "leila", self.options.password)
        self.peer.ask("contact_add", account=self.peer.account, address=mine, name="Maryam", groups=[])
        w.press("request to see your presence")
        w.wait("Requests to see your presence")
        self.picture("request")
        w.press("Accept")
        until(
            "the peer to see Maryam",
            lambda: any(
                c["availability"] == "available"
                for g in self.peer.ask("contact_list", offline=True) for c in g["contacts"] if c["name"] == "Maryam"
            ),
        )

    def add_a_person(self):
        w = self.window
        w.key("ctrl+n")
        w.fill("Address", "not an address")
        w.press("Add this person")
        w.wait("ddress", "label")
        self.picture("add-person")
        w.fill("Address", self.peer.address)
        w.fill("Name, as you call them", "Leila Haddad")
        w.press("Add this person")
        until("a request at the peer", lambda: self.peer.ask("subscription_list"))
        self.peer.ask("subscription_answer", account=self.peer.account,
                      address=f"{self.name}@{self.options.domain}", answer="accept")
        w.wait("Leila Haddad, available")

    def talk(self):
        w = self.window
        w.press("Leila Haddad, available")
        w.wait("Privacy: to the server only")
        w.focus("Message to Leila")
        w.type("Yes. Somewhere quieter would be better.")
        w.key("Return")
        talk = self.peer.talk_to(f"{self.name}@{self.options.domain}")
        until("the message at the peer",
              lambda: "Yes. Somewhere quieter would be better." in self.peer.texts(talk))
        w.wait("elivered")
        self.peer.ask("message_send", conversation=talk, body="Until five only 🙂")
        w.wait("Until five only")
        self.picture("conversation")

    def correct(self):
        w = self.window
        w.focus("Message to Leila")
        w.key("Up")
        w.key("ctrl+a")
        w.type("Yes. At the bookshop.")
        w.key("Return")
        talk = self.peer.talk_to(f"{self.name}@{self.options.domain}")
        until("the correction at the peer", lambda: "Yes. At the bookshop." in self.peer.texts(talk))
        assert "Yes. Somewhere quieter would be better." not in self.peer.texts(talk)

    def draft_and_restart(self):
        w = self.window
        w.focus("Message to Leila")
        w.type("not yet sent")
        w.key("ctrl+q")
        until("the program to end", lambda: self.process.poll() is not None)
        assert self.process.returncode == 0, self.process.returncode
        self.start()
        w = self.window
        w.fill("Passphrase", "wrong")
        w.key("Return")
        w.wait("This passphrase does not open it")
        self.picture("wrong-passphrase")
        w.fill("Passphrase", PASSPHRASE)
        w.key("Return")
        w.wait("Leila Haddad")
        w.press("Leila Haddad")
        w.wait("Until five only")
        w.wait("Yes. At the bookshop.")
        w.wait("not yet sent")
        self.picture("after-restart")

    def change_password(self):
        w = self.window
        w.wait("Online")
        w.key("ctrl+comma")
        w.press("Accounts", "page tab")
        w.press(f"Edit {self.name}@")
        w.press("Change account password")
        self.password = "another password 18"
        w.fill("New password", self.password)
        w.fill("The same once more", self.password)
        w.press("Change", "push button", exact=True)
        w.wait("The password was changed.")
        self.picture("account")

    def other_password_fails(self):
        """The old password does not sign in any more; the window asks, and the new one does."""
        folder = os.path.join(self.folder, "check")
        entries = [("a quiet password 17", False), (self.password, True)]
        for number, (password, good) in enumerate(entries):
            arguments = [self.options.cli, "--profile", f"{folder}{number}", "--password-stdin"]
            subprocess.run([*arguments, "profile", "create"], input="x y z\nx y z\n", text=True, check=True,
                           stdout=subprocess.DEVNULL)
            result = subprocess.run(
                [*arguments, "account", "add", f"{self.name}@{self.options.domain}", "--server-host", self.options.host,
                 "--port", str(self.options.port)],
                input=f"x y z\n{password}\n", text=True, check=False, capture_output=True,
            )
            assert (result.returncode == 0) == good, (password, result.returncode, result.stderr)

    def options_pages(self):
        w = self.window
        w.press("Back")
        for page, word in [("General", "Size of everything"), ("Security", "Master passphrase"),
                           ("Chat", "That I have seen it")]:
            w.press(page, "page tab")
            w.wait(word)
            self.picture(f"options-{page.lower()}")
        w.key("Escape")
        w.wait("Find a person or a word")
        until("what was written to be there still", lambda: w.text("Message to") == "not yet sent")

    def run(self):
        steps = [
            ("a passphrase, typed twice, seals the profile", self.first_start),
            ("a server of one's own; a bad port is said next to its field", self.advanced),
            ("a taken name is said, and what was typed stays", self.name_is_taken),
            ("another name makes the account and signs in", self.another_name),
            ("a request is shown and accepted", self.a_request),
            ("a person is added", self.add_a_person),
            ("both sides write", self.talk),
            ("the last message is corrected", self.correct),
            ("a draft and the history survive a restart; a wrong passphrase is said", self.draft_and_restart),
            ("the account's password is changed", self.change_password),
            ("the old password fails, the new one signs in", self.other_password_fails),
            ("every part of the options opens", self.options_pages),
            *self.sealed_steps(),
            *self.keeping_steps(),
            *self.private_steps(),
            *self.tray_steps(),
        ]
        done = 0
        for name, act in steps:
            if not self.step(name, act):
                break
            done += 1
        # What could not be tried after a failure has not passed.
        self.failed += max(0, len(steps) - done - 1) if done < len(steps) else 0
        for peer in (self.peer, self.plain):
            if peer:
                peer.end()
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return self.failed == 0


def main():
    parser = argparse.ArgumentParser()
    for name in ["sotto", "cli", "python", "host", "domain", "ca", "pictures", "password"]:
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    os.makedirs(options.pictures, exist_ok=True)
    sys.exit(0 if Suite(options).run() else 1)


main()
