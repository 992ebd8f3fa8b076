"""A window: one picture, scaled by a whole number, and a bar of words under it. Call `require_display` first."""

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
import pygame

Words = Sequence[tuple[str, str]]  # (name, value) in the status, (key, what it does) in the help

_BACK, _BAR, _BRIGHT, _QUIET, _KEY = (9, 12, 24), (19, 25, 46), (236, 240, 241), (134, 146, 178), (92, 170, 255)


class Key(NamedTuple):
    """A key that went down or up, by pygame's name. Closing the window presses `escape`."""

    name: str
    down: bool


def key_name(name: str) -> str:
    """The name under which the window reports the key that an environment calls `name`.

    Raises:
        ValueError: if pygame knows no such key.
    """
    try:
        return pygame.key.name(pygame.key.key_code(name))
    except ValueError:
        raise ValueError(f"pygame knows no key called {name!r}") from None


class Window:
    """Shows pictures and hands over keys; opens with the first picture, closes with the `with` block."""

    def __init__(self, title: str) -> None:
        pygame.display.init()
        pygame.font.init()
        pygame.display.set_caption(title)
        self._desktop = pygame.display.get_desktop_sizes()[0]
        self._size = max(15, self._desktop[1] // 64)  # of the words, in pixels: readable on a 4K screen, too
        self._font = pygame.font.Font(None, round(self._size * 1.4))
        self._large = pygame.font.Font(None, round(self._size * 2))
        self._picture = pygame.Surface((1, 1))
        self._status: Words = ()
        self._help: Words = ()
        self._banner = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pygame.display.quit()

    def show(self, picture: np.ndarray, status: Words, help: Words, banner: str = "") -> None:
        """Show the picture [H, W, 3] uint8, the status and the help under it, and `banner` across it."""
        height, width, _ = picture.shape
        self._picture = pygame.image.frombuffer(picture.tobytes(), (width, height), "RGB")
        self._status, self._help, self._banner = status, help, banner
        self._draw()

    def key(self, seconds: float) -> Key | None:
        """The next key, or None if none comes within `seconds`."""
        event = pygame.event.wait(round(seconds * 1000)) if seconds > 0.001 else pygame.event.poll()
        while event.type != pygame.NOEVENT:
            if event.type == pygame.QUIT:
                return Key("escape", True)
            if event.type in (pygame.KEYDOWN, pygame.KEYUP):
                return Key(pygame.key.name(event.key), event.type == pygame.KEYDOWN)
            if event.type in (pygame.VIDEORESIZE, pygame.WINDOWEXPOSED):
                self._draw()
            event = pygame.event.poll()
        return None

    def save(self, folder: Path) -> Path:
        """Save what the window shows as the first free `screenshot-001.png`, ...; raises OSError."""
        path = next(p for n in count(1) if not (p := folder / f"screenshot-{n:03}.png").exists())
        try:
            pygame.image.save(self._screen(), path)
        except pygame.error as error:
            raise OSError(str(error)) from error
        return path

    def _screen(self) -> pygame.Surface:
        """The open window; it opens as large as nine tenths of the desktop allow."""
        screen = pygame.display.get_surface()
        if screen is None:
            width, height = self._picture.get_size()
            wide = 40 * self._size  # room for the words
            high = self._desktop[1] * 9 // 10 - self._bar_height(wide)
            scale = max(1, min(self._desktop[0] * 9 // 10 // width, high // height))
            wide = max(wide, scale * width)
            screen = pygame.display.set_mode((wide, scale * height + self._bar_height(wide)), pygame.RESIZABLE)
        return screen

    def _draw(self) -> None:
        screen = self._screen()
        wide, high = screen.get_size()
        top = high - self._bar_height(wide)
        scale = max(1, min(wide // self._picture.get_width(), top // self._picture.get_height()))
        picture = pygame.transform.scale_by(self._picture, scale)
        screen.fill(_BACK)
        place = screen.blit(picture, picture.get_rect(center=(wide // 2, top // 2)))
        screen.fill(_BAR, (0, top, wide, high - top))
        for text, x, y in self._texts(wide):
            screen.blit(text, (x, top + y))
        if self._banner:
            text = self._large.render(self._banner, True, _BRIGHT)
            band = pygame.Surface((wide, text.get_height() + 2 * self._size), pygame.SRCALPHA)
            band.fill((*_BAR, 225))
            screen.blit(band, band.get_rect(center=place.center))
            screen.blit(text, text.get_rect(center=place.center))
        pygame.display.flip()

    def _bar_height(self, wide: int) -> int:
        return max(y for *_, y in self._texts(wide)) + self._font.get_linesize() + self._size // 2

    def _texts(self, wide: int) -> Iterator[tuple[pygame.Surface, int, int]]:
        """The words with their places (x, y) in the bar: one line of status, and as many of help as it takes."""
        x, y = self._size, self._size // 2
        for name, value in self._status:
            for text, space in (
                (self._font.render(name, True, _QUIET), 3),
                (self._font.render(value, True, _BRIGHT), 1),
            ):
                yield text, x, y
                x += text.get_width() + self._size // space
        x, y = self._size, y + self._font.get_linesize() + self._size // 4
        for key, deed in self._help:
            bright, quiet = self._font.render(key, True, _KEY), self._font.render(deed, True, _QUIET)
            second = bright.get_width() + self._size // 3
            if x > self._size and x + second + quiet.get_width() > wide - self._size:
                x, y = self._size, y + self._font.get_linesize()
            yield bright, x, y
            yield quiet, x + second, y
            x += second + quiet.get_width() + self._size
