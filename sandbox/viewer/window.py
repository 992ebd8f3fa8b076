"""The desktop frontend: a window that shows a session. Call `require_display` before importing it."""

from collections.abc import Iterator
from time import monotonic
from types import TracebackType
from typing import Self

import pygame

from sandbox.viewer.keys import Key
from sandbox.viewer.session import Session

_MAX_INITIAL_SIZE = (1440, 900)  # on a screen of usual density; the user may enlarge the window
_USUAL_HEIGHT = 1080  # of a screen in pixels; one with more shows everything larger
_MOUSE_EVENTS = (pygame.MOUSEBUTTONDOWN, pygame.MOUSEBUTTONUP, pygame.MOUSEMOTION)


class Window:
    """A resizable window, at first at most nine tenths of the desktop; it closes at the end of the `with` block."""

    def __init__(self) -> None:
        pygame.display.init()
        self._desktop = pygame.display.get_desktop_sizes()[0]
        width, height = self._desktop
        self._scale = max(1.0, height / _USUAL_HEIGHT)
        largest = [round(side * self._scale) for side in _MAX_INITIAL_SIZE]
        self._size = (min(largest[0], width * 9 // 10), min(largest[1], height * 9 // 10))  # of the window
        pygame.display.set_mode(self._size, pygame.RESIZABLE)
        self._title = ""
        self._is_closed = False
        self._full_screen_toggles = 0
        pygame.key.set_repeat()  # without arguments: no repeated events for a key that is held

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pygame.display.quit()

    def run(self, session: Session) -> Iterator[str]:
        """Show the session until the user quits, and yield its messages."""
        try:
            while not session.quit_requested and not self._is_closed:
                needs_redraw = self._handle_events(session, session.timeout(monotonic()))
                if session.full_screen_toggles != self._full_screen_toggles:
                    self._toggle_full_screen(session.full_screen_toggles)
                    needs_redraw = True
                if session.update(monotonic()) or needs_redraw:
                    self._show(session)
                yield from session.pop_messages()
        finally:
            session.close()
        yield from session.pop_messages()

    def _toggle_full_screen(self, toggles: int) -> None:
        """Show the full screen after an odd number of toggles, the window as it was after an even one."""
        if toggles % 2:
            self._size = pygame.display.get_window_size()
            pygame.display.set_mode(self._desktop, pygame.FULLSCREEN)
        elif self._full_screen_toggles % 2:
            pygame.display.set_mode(self._size, pygame.RESIZABLE)
        self._full_screen_toggles = toggles

    def _show(self, session: Session) -> None:
        if session.title != self._title:
            self._title = session.title
            pygame.display.set_caption(self._title)
        screen = pygame.display.get_surface()
        assert screen is not None
        size = screen.get_size()
        screen.blit(pygame.image.frombuffer(session.render(*size, self._scale).tobytes(), size, "RGB"), (0, 0))
        pygame.display.flip()

    def _handle_events(self, session: Session, timeout: float) -> bool:
        """Pass on the events within `timeout` seconds, and return whether the window's content is lost."""
        needs_redraw = False
        # At least a millisecond: pygame takes 0 for no timeout.
        event = pygame.event.wait(max(1, round(timeout * 1000))) if timeout > 0 else pygame.event.poll()
        while event.type != pygame.NOEVENT:
            if event.type == pygame.QUIT:
                self._is_closed = True
            elif event.type in (pygame.KEYDOWN, pygame.KEYUP):
                session.handle_key(Key(pygame.key.name(event.key), event.type == pygame.KEYDOWN))
            elif event.type == pygame.MOUSEMOTION:
                session.handle_pointer(event.pos[0], event.pos[1], event.buttons[0] == 1)
            elif event.type in _MOUSE_EVENTS:
                session.handle_pointer(event.pos[0], event.pos[1], event.type == pygame.MOUSEBUTTONDOWN)
            elif event.type == pygame.WINDOWFOCUSLOST:
                session.lose_focus()
            elif event.type in (pygame.VIDEORESIZE, pygame.WINDOWEXPOSED):
                needs_redraw = True
            event = pygame.event.poll()
        return needs_redraw
