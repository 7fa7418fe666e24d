"""What is kept, through the real window: locked and unlocked, saved passwords, the history found and erased."""

import subprocess

from screen import until

FIRST = "lantern copper quiet harbour"
OTHER = "quiet copper harbour lantern"
DRAFT = "half a thought about the tram"


class SealedSteps:
    """The steps of a suite that has `window`, `peer`, `options`, `picture`, `name`, `profile`, `passphrase`."""

    def sealed_steps(self):
        return [
            ("the passphrase is changed; a wrong one in force is said, and what was typed stays", self.change_passphrase),
            ("a locked window shows nothing; unlocked, the page and the draft are back", self.lock_and_unlock),
            ("a saved password is shown for the passphrase only, and removed", self.saved_password),
            ("the history opens by day, of one person and of all", self.history_by_day),
            ("a word is found in the history, in parts of Chinese too", self.find_in_history),
            ("a message is erased from the keyboard, and is gone", self.erase_a_message),
            ("a day and a person are erased, after a question", self.erase_more),
            ("the passphrase is removed: nothing locks any more, and the window warns", self.remove_passphrase),
            ("a passphrase is set again", self.set_passphrase),
        ]

    # ---- help ----------------------------------------------------------------------------------

    def security(self):
        self.window.key("ctrl+comma")
        self.window.press("Security", "page tab")
        self.window.wait("Lock when I am away", "combo box")

    def to_main(self):
        w = self.window
        w.press("Back to your conversations")
        w.wait("Find a person or a word")

    def cli(self, *arguments, good=True):
        """What `sotto-cli` says about the window's own profile, which is open."""
        result = subprocess.run([self.options.cli, "--profile", self.profile, *arguments],
                                capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert good is None or (result.returncode == 0) == good, (arguments, result.returncode, result.stderr)
        return result.stdout

    def mine(self):
        """The address of the window's account."""
        return f"{self.name}@{self.options.domain}"

    def open_history(self):
        w = self.window
        w.press("Leila Haddad", "list item")
        w.wait("Message to Leila")
        w.press("History with Leila Haddad")
        w.wait("Find in the history")

    # ---- the steps -----------------------------------------------------------------------------

    def change_passphrase(self):
        w = self.window
        self.security()
        w.press("Change the master passphrase")
        w.focused("The passphrase in force")
        w.type("not the one")
        w.fill("New passphrase", OTHER)
        w.fill("The same once more", OTHER)
        w.key("Return")
        w.wait("This passphrase does not open it")
        # The keyboard goes to the field that is wrong; the others are as they were.
        w.focused("The passphrase in force")
        assert len(w.text("New passphrase")) == len(OTHER), w.text("New passphrase")
        self.picture("passphrase-wrong")
        w.key("ctrl+a")
        w.type(self.passphrase)
        # Tab goes round inside the dialog.
        for _ in range(9):
            w.key("Tab")
        until("the keyboard in the dialog", lambda: w.keyboard_in("Change the passphrase"))
        w.press("Change", "push button", exact=True)
        w.wait("The passphrase was changed.")
        self.passphrase = OTHER
        self.to_main()

    def lock_and_unlock(self):
        w = self.window
        w.press("Leila Haddad", "list item")
        w.focus("Message to Leila")
        w.key("ctrl+a")
        w.type(DRAFT)
        self.security()
        w.key("ctrl+l")
        w.wait("Sotto is locked")
        self.picture("locked")
        shown = [text for _, text in w.names()]
        for secret in ("Leila", self.name, DRAFT, "Security"):
            assert not any(secret in text for text in shown), (secret, shown)
        w.fill("Passphrase", "wrong")
        w.key("Return")
        w.wait("This passphrase does not open it")
        assert len(w.text("Passphrase")) == len("wrong"), "what was typed stays"
        w.key("ctrl+a")
        w.type(self.passphrase)
        w.key("Return")
        # The options were open, and are again.
        w.wait("Lock when I am away", "combo box")
        self.to_main()
        until("the draft", lambda: w.text("Message to Leila") == DRAFT)
        w.focus("Message to Leila")
        w.key("ctrl+a", "Delete")

    def saved_password(self):
        w = self.window
        address = self.mine()
        self.security()
        w.press("Show the saved passwords")
        w.press(f"Show the password of {address}")
        w.focused("The passphrase in force")
        w.type("wrong")
        w.key("Return")
        w.wait("This passphrase does not open it")
        assert not w.look(self.password), "nothing is shown for a wrong passphrase"
        w.fill("The passphrase in force", self.passphrase)
        w.key("Return")
        w.wait(self.password)
        self.picture("password-shown")
        w.key("Escape")
        until("the password to go", lambda: not w.look(self.password))
        w.press(f"Remove the password of {address}")
        w.wait(f"Remove the password of {address}?")
        w.key("Escape")
        assert address in self.cli("passwords", "list"), "Esc removes nothing"
        w.press(f"Remove the password of {address}")
        w.press("Remove", "push button", exact=True)
        w.wait("No password is kept.")
        self.picture("password-removed")
        assert address not in self.cli("passwords", "list")
        # The next sign-in asks for it, and remembers it again.
        self.cli("account", "disable", address)
        self.cli("account", "enable", address, good=None)
        w.wait(f"Password for {address}")
        w.focused("Password")
        w.type(self.password)
        w.key("Return")
        until("the password to be kept", lambda: address in self.cli("passwords", "list"))
        self.to_main()
        w.wait("Online")

    def history_by_day(self):
        w = self.window
        for body in ("明天下午在图书馆见面吧", "图书馆"):
            self.peer.ask("message_send", conversation=self.theirs(), body=body)
            w.wait(f"Leila Haddad: {body}")
        self.open_history()
        w.wait("Leila: 明天下午在图书馆见面吧")
        w.wait("You: Yes. At the bookshop.")
        self.picture("history")
        w.press("All conversations", "page tab")
        w.wait("Choose a day, or type a word")
        w.press(" message", "list item")
        w.wait("You, to Leila Haddad: Yes. At the bookshop.")
        w.wait("Leila Haddad: 明天下午在图书馆见面吧")
        self.picture("history-all")

    def find_in_history(self):
        w = self.window
        w.fill("Find in the history", "bookshop")
        w.wait("1 of 1")
        assert w.look("You, to Leila Haddad: Yes. At the bookshop."), "the find is listed"
        assert not w.look("图书馆见面"), "and nothing else"
        w.press("This person", "page tab")
        # Without an input method, Chinese comes from the clipboard: the last line, copied from its menu.
        w.focus("Find in the history")
        w.key("ctrl+a", "Delete")
        w.wait("Leila: 明天下午在图书馆见面吧")
        w.reach("Lines of the history")
        w.key("End", "Return")
        w.press("Copy message")
        w.focus("Find in the history")
        w.key("ctrl+v")
        w.wait("1 of 2")
        self.picture("history-found")
        w.fill("Find in the history", "nowhere")
        w.wait("Nothing found")
        w.press("Empty the search")

    def erase_a_message(self):
        w = self.window
        mark = "图书馆"

        def kept():
            return sum(line.endswith(mark) for line in self.cli("history", self.peer.address).splitlines())

        def ask():
            w.focus("Find in the history")
            w.reach("Lines of the history")
            w.key("End", "Delete")
            w.wait("Erase this message?")

        w.wait(f"Leila: {mark}")
        assert kept() == 1, self.cli("history", self.peer.address)
        ask()
        w.key("Escape")
        until("the question to go", lambda: not w.look("Erase this message?"))
        assert kept() == 1, "Esc erases nothing"
        ask()
        self.picture("history-erase")
        w.press("Erase for ever")
        until("the line to go", lambda: not w.look(f"Leila: {mark}"))
        assert kept() == 0, self.cli("history", self.peer.address)
        assert "在图书馆见面" in self.cli("history", self.peer.address), "and only this one"

    def erase_more(self):
        w = self.window
        w.press("message", "list item")
        w.press("Erase…", "push button", exact=True)
        w.press("Erase this day…")
        w.wait("will be gone from this computer")
        w.press("Keep", "push button", exact=True)
        assert "bookshop" in self.cli("history", self.peer.address)
        w.press("Erase…", "push button", exact=True)
        w.press("Erase everything with Leila…")
        w.wait("Erase everything with Leila?")
        w.press("Erase for ever")
        w.wait("Nothing is kept of this conversation.")
        self.picture("history-erased")
        assert "bookshop" not in self.cli("history", self.peer.address)
        self.to_main()

    def remove_passphrase(self):
        w = self.window
        self.security()
        w.press("Lock when I am away", "combo box")
        w.press("After 60 minutes", "list item", exact=True)
        w.press("Remove the master passphrase")
        w.focused("The passphrase in force")
        w.type("wrong")
        w.key("Return")
        w.wait("This passphrase does not open it")
        w.fill("The passphrase in force", self.passphrase)
        w.press("Remove", "push button", exact=True)
        w.wait("The passphrase was removed.")
        w.wait("Choose a master passphrase")
        assert '"lock_after":0' in self.cli("--json", "settings").replace(" ", "")
        self.picture("passphrase-removed")

    def set_passphrase(self):
        w = self.window
        w.press("Choose a master passphrase")
        w.focused("New passphrase")
        w.type(FIRST)
        w.fill("The same once more", "something else")
        w.key("Return")
        w.wait("The two are not the same.")
        w.fill("The same once more", FIRST)
        w.key("Return")
        w.wait("Master password successfully set up")
        w.wait("Change the master passphrase")
        self.picture("passphrase-set")
        self.passphrase = FIRST
        self.to_main()
