"""Sphinx configuration."""

import reluzono

project = "reluzono"
author = "The reluzono developers"
copyright = "The reluzono developers"
version = release = reluzono.__version__
extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.mathjax"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {"description": "Exact geometry of ReLU networks", "page_width": "1080px"}
autosummary_generate = False
numpydoc_show_class_members = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
suppress_warnings = ["myst.xref_missing", "ref.python"]
