import sys

import pytest

from sandbox.core.errors import UserError
from sandbox.viewer import display


def message(monkeypatch, **variables):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError) as error:
        display.require_display("Use `--video out.mp4`.")
    return str(error.value)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system itself is the display")
def test_no_display(monkeypatch):
    assert message(monkeypatch) == ("no display: neither DISPLAY nor WAYLAND_DISPLAY is set. Use `--video out.mp4`.")


def test_a_driver_without_a_screen(monkeypatch):
    assert message(monkeypatch, SDL_VIDEODRIVER="dummy") == (
        "no display: pygame found no screen, only its `dummy` driver "
        "(DISPLAY unset, WAYLAND_DISPLAY unset, SDL_VIDEODRIVER=dummy). Use `--video out.mp4`."
    )


def test_a_driver_that_is_not_there(monkeypatch):
    assert message(monkeypatch, SDL_VIDEODRIVER="bogus") == (
        "no display: bogus not available "
        "(DISPLAY unset, WAYLAND_DISPLAY unset, SDL_VIDEODRIVER=bogus). Use `--video out.mp4`."
    )


def test_two_pygames(monkeypatch):
    monkeypatch.setattr(display, "version", lambda package: "2.6")
    assert message(monkeypatch, DISPLAY=":0") == (
        "both `pygame` and `pygame-ce` are installed; they write into the same folder and break each other. "
        "Run `pip uninstall -y pygame pygame-ce && pip install pygame-ce`."
    )
