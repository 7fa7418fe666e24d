"""A desktop for the window suite: a tray, and a computer that goes to sleep, both on the suite's own bus.

What a real desktop does is written down in the StatusNotifierItem specification, in com.canonical.dbusmenu, and in
org.freedesktop.login1(5); here is as much of it as Sotto asks for.
"""

import os
import threading

import gi
from screen import until

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

WATCHER = "org.kde.StatusNotifierWatcher"
LOGIN = "org.freedesktop.login1"
INTERFACES = """
<node>
  <interface name="org.kde.StatusNotifierWatcher">
    <method name="RegisterStatusNotifierItem"><arg type="s" direction="in"/></method>
    <method name="RegisterStatusNotifierHost"><arg type="s" direction="in"/></method>
    <property name="RegisteredStatusNotifierItems" type="as" access="read"/>
    <property name="IsStatusNotifierHostRegistered" type="b" access="read"/>
    <property name="ProtocolVersion" type="i" access="read"/>
  </interface>
  <interface name="org.freedesktop.login1.Manager">
    <method name="Inhibit">
      <arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/>
      <arg type="s" direction="in"/><arg type="h" direction="out"/>
    </method>
    <method name="GetSessionByPID"><arg type="u" direction="in"/><arg type="o" direction="out"/></method>
    <signal name="PrepareForSleep"><arg type="b"/></signal>
  </interface>
</node>
"""


class Desktop(threading.Thread):
    """Owns the two names until the suite ends."""

    def __init__(self):
        super().__init__(daemon=True)
        # The item as its bus name, while it is there.
        self.items = []
        # Our ends of the pipes whose other end holds the sleep up.
        self.delays = []
        self.ready = threading.Event()
        self.start()
        assert self.ready.wait(10), "the desktop did not start"

    def run(self):
        context = GLib.MainContext()
        context.push_thread_default()
        self.bus = Gio.DBusConnection.new_for_address_sync(
            os.environ["DBUS_SESSION_BUS_ADDRESS"],
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None,
        )
        interfaces = Gio.DBusNodeInfo.new_for_xml(INTERFACES)
        for path, name in [("/StatusNotifierWatcher", WATCHER), ("/org/freedesktop/login1", f"{LOGIN}.Manager")]:
            self.bus.register_object(path, interfaces.lookup_interface(name), self._called, self._got, None)
        for name in (WATCHER, LOGIN):
            self._ask("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
                      GLib.Variant("(su)", (name, 0)))
        self.ready.set()
        GLib.MainLoop(context).run()

    def _called(self, _bus, sender, _path, _interface, method, _arguments, invocation):
        if method == "RegisterStatusNotifierItem":
            self.items.append(sender)
        if method == "Inhibit":
            ours, theirs = os.pipe()
            self.delays.append(ours)
            fds = Gio.UnixFDList.new_from_array([theirs])
            invocation.return_value_with_unix_fd_list(GLib.Variant("(h)", (0,)), fds)
        elif method == "GetSessionByPID":
            invocation.return_value(GLib.Variant("(o)", ("/org/freedesktop/login1/session/_31",)))
        else:
            invocation.return_value(None)

    def _got(self, _bus, _sender, _path, _interface, name):
        return {
            "RegisteredStatusNotifierItems": GLib.Variant("as", self.items),
            "IsStatusNotifierHostRegistered": GLib.Variant("b", True),
            "ProtocolVersion": GLib.Variant("i", 0),
        }[name]

    def _ask(self, name, path, interface, method, arguments):
        return self.bus.call_sync(name, path, interface, method, arguments, None, Gio.DBusCallFlags.NONE, 5000, None)

    def tray(self, name):
        """A property of the newest icon in the tray."""
        return self._ask(self.items[-1], "/StatusNotifierItem", "org.freedesktop.DBus.Properties", "Get",
                         GLib.Variant("(ss)", ("org.kde.StatusNotifierItem", name))).unpack()[0]

    def menu(self):
        """The entries of its menu: label, number, and whether it can be chosen."""
        layout = self._ask(self.items[-1], self.tray("Menu"), "com.canonical.dbusmenu", "GetLayout",
                           GLib.Variant("(iias)", (0, -1, []))).unpack()[1]
        found = []

        def walk(node):
            number, properties, children = node
            if properties.get("label"):
                found.append((properties["label"], number, properties.get("enabled", True)))
            for child in children:
                walk(child)

        walk(layout)
        return found

    def choose(self, label):
        """Clicks an entry, when it is there and can be chosen."""
        number = until(f"{label!r} in the tray", lambda: next(
            (number for name, number, enabled in self.menu() if name == label and enabled), None))
        self._ask(self.items[-1], self.tray("Menu"), "com.canonical.dbusmenu", "Event",
                  GLib.Variant("(isvu)", (number, "clicked", GLib.Variant("i", 0), 0)))

    def sleep(self, about_to):
        """Says that the computer is about to sleep, or has woken."""
        self.bus.emit_signal(None, "/org/freedesktop/login1", f"{LOGIN}.Manager", "PrepareForSleep",
                             GLib.Variant("(b)", (about_to,)))

    def is_held_up(self):
        """Whether somebody holds the sleep up still."""
        os.set_blocking(self.delays[-1], False)
        try:
            return os.read(self.delays[-1], 1) != b""
        except BlockingIOError:
            return True
