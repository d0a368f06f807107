"""One small tree of exceptions. Messages name the argument, the value, and what to do."""

from __future__ import annotations

from typing import Any


class ReluzonoError(Exception):
    """Base class of everything reluzono raises on purpose."""


class InvalidInputError(ReluzonoError, ValueError):
    """An argument is unusable; the message names it."""


class UnsupportedModelError(InvalidInputError):
    """A model file holds a layer, activation, shape or value that cannot be represented exactly."""


class BudgetExceededError(ReluzonoError):
    """A limit was reached. ``partial`` is what was found, ``token`` (if any) resumes the work."""

    def __init__(self, message: str, partial: Any = None, token: Any = None) -> None:
        super().__init__(message)
        self.partial = partial
        self.token = token


class MissingDependencyError(ReluzonoError, ImportError):
    """An optional package is needed; the message says which extra to install."""


class CertificateError(ReluzonoError):
    """A certificate is malformed or does not prove its statement."""
