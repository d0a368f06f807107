"""Pictures, with matplotlib. Functions that take ``ax`` draw into it and return what they drew."""

from __future__ import annotations

from reluzono.plotting.approximation import plot_approximation
from reluzono.plotting.canvas import picture_formats
from reluzono.plotting.regions import plot_decision_boundary, plot_regions, save_picture
from reluzono.plotting.theorems import plot_theorem
from reluzono.plotting.training import plot_fit

__all__ = [
    "picture_formats", "plot_approximation", "plot_decision_boundary", "plot_fit", "plot_regions", "plot_theorem",
    "save_picture",
]  # fmt: skip
