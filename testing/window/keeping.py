"""What is kept, recorded, moved in, backed up and destroyed, through the real window."""

import glob
import os
import shutil

from screen import until

SAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "crates/core/import/tests/data/pidgin-2.14")

FILE_PASSPHRASE = "saddle pencil orbit willow"


class KeepingSteps:
    """The steps of a suite that has `window`, `peer`, `options`, `picture`, `start`, `unlock`, `stop`, `profile`."""

    def keeping_steps(self):
        return [
            ("recording says so over every page, and stops at once", self.record),
            ("what was recorded is removed", self.remove_records),
            ("quitting asks once where messages would be lost", self.quit_asks),
            ("moving in from Pidgin shows its messages", self.move_in),
            ("a backup opens as another profile", self.back_up_and_restore),
            ("a profile is destroyed only when the word is typed", self.destroy),
        ]

    def options_page(self, page):
        w = self.window
        w.key("ctrl+comma")
        w.press(page, "page tab")

    def back(self):
        self.window.press("Back to your conversations")
        self.window.wait("Find a person or a word")

    def recorded(self):
        """The bytes of everything that was recorded so far."""
        parts = []
        for path in glob.glob(os.path.join(self.profile, "records", "stanzas*")):
            with open(path, "rb") as file:
                parts.append(file.read())
        return b"".join(parts)

    def tell(self, text):
        """The peer writes in clear."""
        talk = self.peer.talk_to(f"{self.name}@{self.options.domain}")
        self.peer.ask("message_send", conversation=talk, body=text)

    def record(self):
        w = self.window
        self.options_page("Advanced")
        w.choose("Packet logging", "On, sealed")
        w.wait("is being recorded, sealed")
        self.tell("a sealed canary")
        until("something sealed on the disk", lambda: len(self.recorded()) > 0)
        w.wait("1 file, ")
        self.picture("recording-sealed")
        assert b"canary" not in self.recorded(), "what is recorded sealed can be read"
        w.choose("Packet logging", "On, as plain files")
        w.wait("Record in plain files?")
        w.press("Record in plain files", "push button", exact=True)
        w.wait("is being recorded in plain files in")
        self.tell("a plain canary")
        until("the words in the plain file", lambda: b"a plain canary" in self.recorded())
        self.back()
        w.wait("is being recorded in plain files in")
        self.picture("recording-plain")
        w.press("Stop recording", "push button", exact=True)
        w.gone("is being recorded")
        self.tell("after the stop")
        w.wait("after the stop")
        assert b"after the stop" not in self.recorded(), "it was recorded after the stop"
        assert b"a plain canary" in self.recorded(), "what was recorded is still there"

    def remove_records(self):
        w = self.window
        self.options_page("Advanced")
        w.press("Remove what was recorded", "push button")
        w.wait("Remove what was recorded?")
        w.press("Keep", "push button", exact=True)
        w.gone("Remove what was recorded?")
        assert self.recorded(), "it was kept"
        w.press("Remove what was recorded", "push button")
        w.wait("Remove what was recorded?")
        w.press("Remove", "push button", exact=True)
        until("the files to be gone", lambda: not self.recorded())
        self.back()

    def quit_asks(self):
        w = self.window
        self.options_page("General")
        w.press("Log chat history", "toggle button")
        w.wait("Off: not one word")
        w.press("Accounts", "page tab")
        w.press(f"{self.name}@{self.options.domain}", "toggle button")
        self.back()
        w.press("Leila Haddad")
        w.fill("Message to Leila", "Kept nowhere, and not sent yet.")
        w.key("Return")
        w.wait("Waiting")
        w.key("ctrl+q")
        w.wait("Quit before everything is sent?")
        w.wait("1 message was not sent yet")
        self.picture("quit-asks")
        w.press("Stay", "push button", exact=True)
        w.gone("Quit before everything is sent?")
        self.options_page("Accounts")
        w.press(f"{self.name}@{self.options.domain}", "toggle button")
        talk = self.peer.talk_to(f"{self.name}@{self.options.domain}")
        until("what waited at the peer", lambda: "Kept nowhere, and not sent yet." in self.peer.texts(talk))
        w.press("General", "page tab")
        w.press("Log chat history", "toggle button")
        w.wait("Messages are kept on this computer, sealed.")
        self.back()
        # Now nothing would be lost: it ends without a question.
        self.stop()
        self.start()
        self.unlock()

    def move_in(self):
        w = self.window
        folder = os.path.join(self.folder, "purple")
        shutil.copytree(SAMPLE, folder)
        w.press("File", "push button", exact=True)
        w.press("Move in from Jitsi or Pidgin")
        w.press("Pidgin", "page tab")
        w.fill("Folder", os.path.join(self.folder, "nothing there"))
        w.key("Return")
        w.wait("There is no such folder.")
        w.fill("Folder", folder)
        w.key("Return")
        w.wait("12 messages, in 1 conversation")
        self.picture("move-in-found")
        w.press("Bring over", "push button", exact=True)
        w.wait("Taken over: 1 account")
        self.picture("move-in-done")
        w.key("Escape")
        # The keyboard is the main window's again.
        self.options_page("General")
        self.back()
        w.press("leila@example.org", "list item")
        w.wait("Message to leila")
        w.wait("later")
        self.picture("move-in-read")
        assert os.path.exists(os.path.join(folder, "otr.private_key")), "the originals were left"

    def back_up_and_restore(self):
        w = self.window
        file = os.path.join(self.folder, "backup.sotto")
        w.press("File", "push button", exact=True)
        w.press("Back up this profile")
        w.fill("File", file, "entry")
        w.fill("Passphrase of the file", FILE_PASSPHRASE)
        w.fill("The same once more", "something else")
        w.key("Return")
        w.wait("The two are not the same.")
        w.fill("The same once more", FILE_PASSPHRASE)
        w.fill("Passphrase of the profile", "not this one")
        w.focus("The same once more")
        w.key("Return")
        w.wait("does not open")
        assert not os.path.exists(file), "written without the passphrase in force"
        w.fill("Passphrase of the profile", self.passphrase)
        w.focus("The same once more")
        w.key("Return")
        w.wait("The backup is written.")
        with open(file, "rb") as backup:
            assert b"later" not in backup.read(), "the backup is sealed"
        self.stop()
        self.first_profile, self.profile = self.profile, os.path.join(self.folder, "restored")
        self.start()
        w = self.window
        w.press("Open a backup")
        w.fill("File", file, "entry")
        w.fill("Passphrase of the file", "wrong words")
        w.key("Return")
        w.wait("does not open")
        self.picture("restore-wrong")
        w.fill("Passphrase of the file", FILE_PASSPHRASE)
        w.key("Return")
        w.press("leila@example.org", "list item")
        w.wait("later")
        self.picture("restored")

    def destroy(self):
        w = self.window
        w.press("File", "push button", exact=True)
        w.press("Destroy this profile…")
        w.wait("Destroy this profile?")
        w.fill("To go on, type", "destory")
        w.fill("Passphrase of the profile", FILE_PASSPHRASE)
        w.key("Return")
        w.wait("Type the word destroy to go on.")
        self.picture("destroy")
        w.fill("To go on, type", "destroy")
        w.fill("Passphrase of the profile", "wrong words")
        w.key("Return")
        w.wait("does not open")
        assert os.path.exists(os.path.join(self.profile, "profile.key")), "it is still there"
        w.fill("Passphrase of the profile", FILE_PASSPHRASE)
        w.key("Return")
        until("the program to end", lambda: self.process.poll() is not None)
        left = [name for _, _, names in os.walk(self.profile) for name in names]
        assert not {"profile.key", "profile.key.copy", "store.db", "store.db-wal"} & set(left), left
        self.profile = self.first_profile
        self.start()
        self.unlock()
