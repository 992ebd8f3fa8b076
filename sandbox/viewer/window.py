"""The face on a desktop: a window that shows a session and hands it keys. Call `require_display` first."""

from collections.abc import Iterator
from time import monotonic
from types import TracebackType
from typing import Self

import pygame

from sandbox.viewer.keys import Key
from sandbox.viewer.session import Session

_LARGEST = (1440, 900)  # at first; the person may pull it larger
_MOUSE = (pygame.MOUSEBUTTONDOWN, pygame.MOUSEBUTTONUP, pygame.MOUSEMOTION)


class Window:
    """Opens at nine tenths of the desktop at most, and closes with the `with` block."""

    def __init__(self) -> None:
        pygame.display.init()
        wide, high = pygame.display.get_desktop_sizes()[0]
        size = (min(_LARGEST[0], wide * 9 // 10), min(_LARGEST[1], high * 9 // 10))
        pygame.display.set_mode(size, pygame.RESIZABLE)
        self._title = ""
        pygame.key.set_repeat()  # a key that is held is pressed once

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pygame.display.quit()

    def run(self, session: Session) -> Iterator[str]:
        """Show the session until it is over, and yield what it has to tell."""
        try:
            while not session.over:
                changed = self._hear(session, session.wait(monotonic()))
                if session.tick(monotonic()) or changed:
                    self._show(session)
                yield from session.news()
        finally:
            session.close()
        yield from session.news()

    def _show(self, session: Session) -> None:
        if session.title != self._title:
            self._title = session.title
            pygame.display.set_caption(self._title)
        screen = pygame.display.get_surface()
        assert screen is not None
        size = screen.get_size()
        screen.blit(pygame.image.frombuffer(session.picture(*size).tobytes(), size, "RGB"), (0, 0))
        pygame.display.flip()

    def _hear(self, session: Session, seconds: float) -> bool:
        """Hand over what comes within `seconds`; whether the window needs to be drawn again."""
        changed = False
        # At least a thousandth: 0 would wait for ever.
        event = pygame.event.wait(max(1, round(seconds * 1000))) if seconds > 0 else pygame.event.poll()
        while event.type != pygame.NOEVENT:
            if event.type == pygame.QUIT:
                session.press(Key("escape", True))
            elif event.type in (pygame.KEYDOWN, pygame.KEYUP):
                session.press(Key(pygame.key.name(event.key), event.type == pygame.KEYDOWN))
            elif event.type in _MOUSE:
                down = event.buttons[0] == 1 if event.type == pygame.MOUSEMOTION else event.type == _MOUSE[0]
                session.point(event.pos[0], event.pos[1], down)
            elif event.type in (pygame.VIDEORESIZE, pygame.WINDOWEXPOSED):
                changed = True
            event = pygame.event.poll()
        return changed
