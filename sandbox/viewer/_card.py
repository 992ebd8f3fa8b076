"""Renders the card over the screen: the start of a game, or the help."""

from collections.abc import Sequence

from sandbox.viewer._canvas import BRIGHT, KEY, QUIET, Canvas
from sandbox.viewer.view import Card, Entries

_TITLE_SCALE = 1.5
_LINE, _TIGHT_LINE = 1.7, 1.2  # heights of a line in font sizes: usual, and least


def render_card(canvas: Canvas, card: Card, width: int, height: int) -> None:
    """Render a card in the middle of a screen. With little room its lines move together, and long lines are cut."""
    size = canvas.size
    margin = min(1.5 * size, 0.03 * width)
    room = width - 4 * margin
    columns: list[Entries] = [[(_spaced(keys), text) for keys, text in column] for column in card.columns if column]
    lines = [part for line in card.lines for part in _wrapped(canvas, line, min(room, 44 * size))]
    rows = max((len(column) for column in columns), default=0)
    if columns and _columns_width(canvas, columns) > room:
        columns = _rearranged(canvas, columns, room)
        rows = max(len(column) for column in columns)
    lowest = rows * _TIGHT_LINE * size + 4 * size + 4 * margin  # with title and footer
    if columns and lowest + 1.3 * size * len(lines) > height:
        lines = []
    heading = (1.4 * _TITLE_SCALE * size if card.title else 0) + 1.3 * size * len(lines)
    heading += 0.8 * size if heading else 0
    footer = 2.2 * size if card.footer else 0
    free = height - 4 * margin - heading - footer
    line = max(_TIGHT_LINE * size, min(_LINE * size, free / max(rows, 1)))
    widths = [_columns_width(canvas, columns), *(canvas.text_width(text) for text in [*lines, card.footer])]
    card_width = min(max(*widths, canvas.text_width(card.title, _TITLE_SCALE)) + 4 * margin, width)
    card_height = min(heading + rows * line + footer + 2 * margin, height)
    left, top = (width - card_width) / 2, (height - card_height) / 2
    canvas.card(left, top, card_width, card_height)
    y = top + margin
    middle = width / 2
    if card.title:
        title = canvas.truncate(card.title, card_width - 2 * margin, _TITLE_SCALE)
        canvas.text(middle, y + 0.7 * _TITLE_SCALE * size, title, BRIGHT, anchor="mm", scale=_TITLE_SCALE)
        y += 1.4 * _TITLE_SCALE * size
    for text in lines:
        canvas.text(middle, y + 0.65 * size, text, QUIET, anchor="mm")
        y += 1.3 * size
    y += 0.8 * size if card.title or lines else 0
    _render_columns(canvas, columns, (middle - _columns_width(canvas, columns) / 2, y), line, room)
    if card.footer:
        canvas.text(middle, top + card_height - margin - 0.6 * size, card.footer, KEY, anchor="mm")


def _render_columns(
    canvas: Canvas, columns: Sequence[Entries], corner: tuple[float, float], line: float, room: float
) -> None:
    left, top = corner
    end = left + room
    for entries in columns:
        key_width = max(canvas.text_width(keys) for keys, _ in entries)
        text_width = max(canvas.text_width(text) for _, text in entries)
        for number, (keys, text) in enumerate(entries):
            y = top + (number + 0.5) * line
            canvas.text(left + key_width, y, keys, KEY, anchor="rm")
            start = left + key_width + 0.7 * canvas.size
            canvas.text(start, y, canvas.truncate(text, end - start), BRIGHT, anchor="lm")
        left += key_width + text_width + 2.7 * canvas.size


def _columns_width(canvas: Canvas, columns: Sequence[Entries]) -> float:
    widths = [
        max(canvas.text_width(keys) for keys, _ in entries) + max(canvas.text_width(text) for _, text in entries)
        for entries in columns
    ]
    return sum(widths) + 0.7 * canvas.size * len(widths) + 2.0 * canvas.size * max(len(widths) - 1, 0)


def _rearranged(canvas: Canvas, columns: Sequence[Entries], room: float) -> list[Entries]:
    """Return the entries in as many columns of equal length as fit."""
    entries = [entry for column in columns for entry in column]
    for count in range(len(columns), 0, -1):
        length = -(-len(entries) // count)
        cut: list[Entries] = [entries[start : start + length] for start in range(0, len(entries), length)]
        if _columns_width(canvas, cut) <= room:
            return cut
    return [entries]


def _spaced(keys: str) -> str:
    return keys.replace(" ", "  ")


def _wrapped(canvas: Canvas, text: str, width: float) -> list[str]:
    """Return the lines of a text that is broken between words."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and canvas.text_width(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
