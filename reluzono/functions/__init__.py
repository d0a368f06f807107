"""Piecewise-linear functions: algebra, normal forms, compilation to networks."""
