"""What all pictures share: matplotlib, imported when it is needed, and colours."""

from __future__ import annotations

from typing import Any

from reluzono.errors import MissingDependencyError

INK, BLUE, RED, GREY = "#1b1b1f", "#2a6fbb", "#d7263d", "#8a8a93"


def pyplot() -> Any:
    """``matplotlib.pyplot``, without a window."""
    try:
        import matplotlib

        matplotlib.use("Agg", force=False)
        import matplotlib.pyplot as plt
    except ImportError:
        raise MissingDependencyError("matplotlib is missing: pip install 'reluzono[plot]'") from None
    return plt


def picture_formats() -> set[str]:
    """Suffixes, without the dot, that pictures can be written to."""
    figure = pyplot().figure()
    formats = set(figure.canvas.get_supported_filetypes())
    pyplot().close(figure)
    return formats
