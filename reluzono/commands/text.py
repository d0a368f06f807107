"""Small pieces of text: exact numbers, network shapes, aligned tables."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from reluzono.exact import in_digits


def number(value: Fraction) -> str:
    """A short rational as it is; a long one as a decimal marked with ≈."""
    text = str(value)
    return text if len(text) <= 12 else f"≈ {in_digits(value)}"


def shape(network: dict[str, Any]) -> str:
    """``2-32-32-1``; many layers or wide ones stay readable."""
    return "-".join(map(str, [network["inputs"], *network["widths"], network["outputs"]]))


def table(title: str, lines: list[tuple[str, str]]) -> str:
    """A title and aligned ``name  text`` lines; an empty pair is an empty line."""
    width = max(len(name) for name, _ in lines) + 2
    body = [f"  {name:<{width}}{text}".rstrip() for name, text in lines]
    return "\n".join([title, "", *body])
