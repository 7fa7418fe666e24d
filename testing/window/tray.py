"""The tray and the sleep of the computer, on a desktop of the suite's own."""

import ctypes
import os
import subprocess

from desktop import Desktop
from screen import until


class ClientMessage(ctypes.Structure):
    """An XClientMessageEvent, as long as an XEvent."""

    _fields_ = [
        ("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("send_event", ctypes.c_int), ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong), ("message_type", ctypes.c_ulong), ("format", ctypes.c_int), ("data", ctypes.c_long * 5),
        ("rest", ctypes.c_long * 24),
    ]


def close_window(window):
    """What the frame of a window does when its X is pressed (ICCCM 4.2.8.1); xdotool cannot."""
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    x11.XInternAtom.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    x11.XSendEvent.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int, ctypes.c_long, ctypes.c_void_p]
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    display = x11.XOpenDisplay(None)
    assert display, "no screen"
    event = ClientMessage(type=33, window=window, message_type=x11.XInternAtom(display, b"WM_PROTOCOLS", 0), format=32)
    event.data[0] = x11.XInternAtom(display, b"WM_DELETE_WINDOW", 0)
    assert x11.XSendEvent(display, window, 0, 0, ctypes.byref(event))
    # Everything is sent before the display is closed.
    x11.XCloseDisplay(display)


class TraySteps:
    """The steps of a suite that has `window`, `process`, `picture`, `start`, `unlock`, `stop`, `take_keyboard`."""

    def tray_steps(self):
        return [
            ("the tray shows Sotto, and takes its window away and back", self.tray_hides),
            ("closing the window explains once that Sotto stays", self.close_stays),
            ("the tray locks", self.tray_locks),
            ("the computer sleeps only when the profile is locked", self.sleep_locks),
            ("the tray quits", self.tray_quits),
        ]

    def on_screen(self):
        return subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "Sotto"], capture_output=True, text=True,
                              check=False).stdout.split()

    def hidden(self):
        until("the window to be away", lambda: not self.on_screen())

    def back_again(self):
        self.desktop.choose("Show Sotto")
        until("the window to be back", self.on_screen)
        until("the window to take the keyboard", self.take_keyboard)

    def close_button(self):
        close_window(int(self.on_screen()[-1]))

    def tray_hides(self):
        self.stop()
        self.desktop = Desktop()
        # The suite's own bus stands in for that of the system.
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = os.environ["DBUS_SESSION_BUS_ADDRESS"]
        self.start()
        until("the icon in the tray", lambda: self.desktop.items)
        assert ("Lock now", False) in [(name, enabled) for name, _, enabled in self.desktop.menu()], "nothing to lock"
        self.unlock()
        until("locking to be possible",
              lambda: ("Lock now", True) in [(name, enabled) for name, _, enabled in self.desktop.menu()])
        names = [name for name, _, _ in self.desktop.menu()]
        for name in ["Hide Sotto", "Status", "Away", "Options…", "Quit"]:
            assert name in names, names
        assert self.desktop.tray("Title") == "Sotto"
        self.desktop.choose("Hide Sotto")
        self.hidden()
        until("the menu to offer the window", lambda: "Show Sotto" in [name for name, _, _ in self.desktop.menu()])
        self.back_again()

    def close_stays(self):
        w = self.window
        self.close_button()
        w.wait("Close the window, and stay?")
        self.picture("close-explained")
        w.press("Do not say this again")
        w.press("Close the window", "push button", exact=True)
        self.hidden()
        assert self.process.poll() is None, "it goes on"
        self.back_again()
        self.close_button()
        self.hidden()
        assert self.process.poll() is None, "it goes on"
        self.back_again()

    def tray_locks(self):
        w = self.window
        self.desktop.choose("Lock now")
        w.wait("Passphrase", "password text")
        w.gone("Leila Haddad")
        until("the tray to say so", lambda: self.desktop.tray("ToolTip")[2] == "Sotto: Locked")
        self.unlock()

    def sleep_locks(self):
        w = self.window
        assert self.desktop.is_held_up(), "nothing would wait for the lock"
        self.desktop.sleep(True)
        until("the computer to be let go", lambda: not self.desktop.is_held_up())
        w.wait("Passphrase", "password text")
        w.gone("Leila Haddad")
        self.desktop.sleep(False)
        until("the next sleep to be held up", lambda: self.desktop.is_held_up())
        self.unlock()

    def tray_quits(self):
        self.desktop.choose("Quit")
        until("the program to end", lambda: self.process.poll() is not None)
        assert self.process.returncode == 0, self.process.returncode
