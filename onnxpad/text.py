"""Text from outside (names in models, file names, messages of libraries) made safe to print."""

import unicodedata

# Controls, format characters (bidi overrides among them), surrogates, private use, unassigned,
# and the two separators that end a line.
_UNPRINTABLE = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def printable(text: str, limit: int = 120) -> str:
    """One line of `text` in which nothing can move the cursor, recolour or reorder the terminal.

    Unprintable characters become backslash escapes; a text longer than `limit` characters is cut
    and ends in an ellipsis. Markup of a renderer (rich, HTML) is not its business.
    """
    safe = "".join(map(_visible, text[: limit + 1]))
    return safe if len(safe) <= limit else safe[: max(limit - 1, 0)] + "…"


def one_line(text: str, limit: int = 300) -> str:
    """A message with its line breaks and runs of blanks folded to single blanks, printable."""
    return printable(" ".join(text[: 20 * limit].split()), limit)


def count(number_of: int, noun: str, plural: str = "") -> str:
    """1 layer, 2 layers."""
    return f"{number_of} {noun if number_of == 1 else plural or noun + 's'}"


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _UNPRINTABLE:
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
