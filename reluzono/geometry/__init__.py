"""Exact geometry: polyhedra, and what is built on them."""
