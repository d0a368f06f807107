"""Tokens: what an interrupted search has left, as text that resumes the same search of the same problem only."""

from __future__ import annotations

import json
from fractions import Fraction
from hashlib import sha256
from typing import Any

from reluzono.errors import InvalidInputError
from reluzono.training.cells import Outcome
from reluzono.training.problem import TrainingProblem


def make_token(search: str, problem: TrainingProblem, state: Any) -> str:
    """The token of a search of this name; its state is plain data."""
    return json.dumps([search, _digest(search, problem, state), state])


def is_token_of(search: str, token: Any) -> bool:
    """Whether something is like a token of a search of this name."""
    return isinstance(token, str) and token.startswith(f"[{json.dumps(search)}, ")


def read_token(search: str, problem: TrainingProblem, token: Any) -> Any:
    """The state of a token; an error unless it is one of this search and problem, unchanged."""
    try:
        name, digest, state = json.loads(token)
        if (name, digest) == (search, _digest(search, problem, state)):
            return state
    except (ValueError, TypeError, RecursionError):
        pass
    raise InvalidInputError("start is not the token of a fit of this problem by the same method")


def network_text(outcome: Outcome) -> list[Any]:
    """The network of an outcome and its loss, as plain data."""
    numbers = [[str(x) for x in u] for u in outcome.hidden]
    output = None if outcome.output is None else [str(x) for x in outcome.output]
    return [outcome.signs, numbers, output, str(outcome.loss)]


def known_network(text: list[Any], lower_bound: Fraction) -> Outcome:
    """The outcome of such data."""
    signs, numbers, output, loss = text
    hidden = [[Fraction(x) for x in u] for u in numbers]
    return Outcome(signs, hidden, output and [Fraction(x) for x in output], Fraction(loss), lower_bound)


def _digest(search: str, problem: TrainingProblem, state: Any) -> str:
    numbers = problem.X.fractions(), problem.y, problem.weights, problem.ridge
    described = repr((numbers, problem.width, problem.loss, problem.output, search, json.dumps(state)))
    return sha256(described.encode()).hexdigest()
