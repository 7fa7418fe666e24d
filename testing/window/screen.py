"""What a person at the window does and sees: the accessibility tree to find things, the keyboard to type.

Nothing here waits a fixed time: every wait looks again and again until what is waited for is there, or the deadline has
passed, which fails the suite.
"""

import subprocess
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

# The Python side of Debian 12 does not know one form of a message; it reads the tree all the same.
GLib.log_set_handler("dbind", GLib.LogLevelFlags.LEVEL_WARNING, lambda *_: None, None)

DEADLINE = 30.0
STEP = 0.05
MARKS = dict.fromkeys([0x200E, 0x200F, *range(0x2066, 0x206A)])


class Missing(Exception):
    """What was waited for did not come."""


def until(what, look, deadline=DEADLINE):
    """Looks until `look` returns something; raises `Missing` after `deadline` seconds."""
    end = time.monotonic() + deadline
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise Missing(what)
        time.sleep(STEP)


def walk(node, depth=0):
    """The tree below a node, in reading order."""
    if node is None or depth > 60:
        return
    yield node
    try:
        count = node.get_child_count()
    except Exception:  # the node is gone
        return
    for index in range(count):
        try:
            child = node.get_child_at_index(index)
        except Exception:
            continue
        yield from walk(child, depth + 1)


def said(node):
    """The name of a thing, without the marks that keep foreign words apart."""
    return (node.get_name() or "").translate(MARKS)


class Window:
    """The window of one Sotto."""

    def __init__(self, pid):
        self.pid = pid
        self.app = until("the window in the accessibility tree", self._find)

    def _find(self):
        desktop = Atspi.get_desktop(0)
        for index in range(desktop.get_child_count()):
            app = desktop.get_child_at_index(index)
            try:
                if app is not None and app.get_process_id() == self.pid:
                    return app
            except Exception:
                continue
        return None

    def nodes(self):
        self.app.clear_cache()
        yield from walk(self.app)

    def names(self):
        out = []
        for node in self.nodes():
            try:
                out.append((node.get_role_name(), said(node)))
            except Exception:
                continue
        return out

    def look(self, part, role=None):
        """The first thing whose name holds `part`."""
        for node in self.nodes():
            try:
                if part in said(node) and (role is None or node.get_role_name() == role):
                    return node
            except Exception:
                continue
        return None

    def wait(self, part, role=None, deadline=DEADLINE):
        """Waits until something is there whose name holds `part`."""
        return until(f"{part!r} on the screen", lambda: self.look(part, role), deadline)

    def press(self, part, role=None, exact=False):
        """Presses a button as a screen reader would: the first whose name holds `part`, or is it."""

        def act():
            for node in self.nodes():
                try:
                    name = said(node)
                    named = (name == part if exact else part in name) and (role is None or node.get_role_name() == role)
                    if named and node.get_action_iface() is not None and node.do_action(0):
                        return True
                except Exception:
                    continue
            return False

        until(f"{part!r} to be pressed", act)

    def choose(self, box, item):
        """Opens a list of choices, and takes one."""
        self.press(box, "combo box")
        self.press(item, "list item", exact=True)

    def gone(self, part, role=None):
        """Waits until nothing is there any more whose name holds `part`."""
        until(f"{part!r} to go", lambda: self.look(part, role) is None)

    def text(self, part):
        """What stands in the field whose name holds `part`."""
        node = self.look(part)
        try:
            text = node.get_text_iface()
            return Atspi.Text.get_text(text, 0, Atspi.Text.get_character_count(text))
        except Exception:
            return None

    def focus(self, part, role=None):
        """Puts the keyboard into a field."""

        def act():
            node = self.look(part, role)
            try:
                component = node.get_component_iface() if node is not None else None
                return component is not None and component.grab_focus()
            except Exception:
                return False

        until(f"the keyboard in {part!r}", act)

    def focused(self, part, role=None):
        def look():
            for node in self.nodes():
                try:
                    named = part in said(node) and (role is None or node.get_role_name() == role)
                    if named and node.get_state_set().contains(Atspi.StateType.FOCUSED):
                        return True
                except Exception:
                    continue
            return False

        until(f"the keyboard in {part!r}", look)

    def type(self, text):
        subprocess.run(["xdotool", "type", "--clearmodifiers", "--delay", "12", text], check=True)

    def keyboard_in(self, part):
        """Whether the keyboard is on something inside of what is called so."""
        try:
            inside = walk(self.look(part))
            return any(node.get_state_set().contains(Atspi.StateType.FOCUSED) for node in inside)
        except Exception:
            return False

    def reach(self, part, most=40):
        """Goes with Tab to what is called so, as a person without a pointer does."""
        for _ in range(most):
            node = self.look(part)
            if node is not None and node.get_state_set().contains(Atspi.StateType.FOCUSED):
                return
            self.key("Tab")
            time.sleep(STEP)
        raise Missing(f"Tab to reach {part!r}")

    def key(self, *keys):
        subprocess.run(["xdotool", "key", "--clearmodifiers", *keys], check=True)

    def fill(self, part, text, role=None):
        """Empties a field and types into it."""
        self.focus(part, role)
        self.focused(part, role)
        self.key("ctrl+a")
        self.type(text)
