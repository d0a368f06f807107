"""Claims, verdicts and tables: what a theorem says beside what exact computation finds.

A row is a function that computes its `Finding` from networks, regions and certificates when it is called. Nothing
in a row is written down in advance but the statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from reluzono.budget import Budget, Clock
from reluzono.errors import BudgetExceededError

PROVED, CORRECTED, REFUTED, UNKNOWN = "PROVED", "CORRECTED", "REFUTED", "UNKNOWN"
#: from the best to the worst
VERDICTS = (PROVED, CORRECTED, UNKNOWN, REFUTED)


@dataclass(frozen=True)
class Finding:
    """What a row's computation found.

    Attributes
    ----------
    exact : int, Fraction or str
        The exact value.
    holds : bool or None
        Whether the statement, as it is commonly read, is true of the objects; None if that is not decided.
    evidence : str
        What decides it.
    truth : str
        The statement that is true if this one fails. Only given after it has been checked.
    """

    exact: Any
    holds: bool | None
    evidence: str
    truth: str = ""


@dataclass(frozen=True)
class Row:
    """A statement, the value that is commonly stated, and how to find the exact one."""

    statement: str
    stated: Any
    find: Callable[[], Finding]


#: what a theorem's function returns: title, parameters, rows, and the objects that they are about
Built = tuple[str, dict[str, Any], Iterator[Row], dict[str, Any]]


@dataclass(frozen=True)
class Claim:
    """One decided row.

    Attributes
    ----------
    statement : str
    stated, exact : int, Fraction or str
        The value that is commonly stated, and the one that was computed.
    verdict : {"PROVED", "CORRECTED", "REFUTED", "UNKNOWN"}
        CORRECTED: false as commonly stated, and the true statement, in ``truth``, was checked. UNKNOWN: the budget
        was too small, or what can be certified decides neither way.
    evidence, truth : str
    """

    statement: str
    stated: Any
    exact: Any
    verdict: str
    evidence: str
    truth: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain data; fractions as ``"p/q"``."""
        return {
            "statement": self.statement, "stated": _plain(self.stated), "exact": _plain(self.exact),
            "verdict": self.verdict, "evidence": self.evidence, "truth": self.truth,
        }  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A theorem for chosen parameters, claim by claim. ``print`` shows it.

    Attributes
    ----------
    name, title : str
        "3.1", and what the theorem says.
    parameters : dict
    claims : tuple of Claim
    objects : dict
        The networks and functions that the claims are about.
    """

    name: str
    title: str
    parameters: Mapping[str, Any]
    claims: tuple[Claim, ...]
    objects: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def verdict(self) -> str:
        """The worst verdict of its claims."""
        return worst(claim.verdict for claim in self.claims)

    @property
    def heading(self) -> str:
        """The theorem's name and parameters."""
        return heading(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Plain data, without the objects."""
        return {
            "theorem": self.name, "title": self.title, "verdict": self.verdict,
            "parameters": {name: _plain(value) for name, value in self.parameters.items()},
            "claims": [claim.to_json() for claim in self.claims],
        }  # fmt: skip

    def __str__(self) -> str:
        return show(self.to_json())


@dataclass(frozen=True)
class Tables(Sequence[Table]):
    """All tables. ``print`` shows them and ends with the summary."""

    tables: tuple[Table, ...]

    def __getitem__(self, index: Any) -> Any:
        return self.tables[index]

    def __len__(self) -> int:
        return len(self.tables)

    @property
    def verdict(self) -> str:
        """The worst verdict of all claims."""
        return worst(table.verdict for table in self.tables)

    def count(self, verdict: Any) -> int:
        """Claims with this verdict."""
        return sum(claim.verdict == verdict for table in self.tables for claim in table.claims)

    def summary(self) -> str:
        """One line a theorem, and the totals."""
        return summarize([table.to_json() for table in self.tables])

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        counts = {v.lower(): self.count(v) for v in VERDICTS}
        return {"tables": [table.to_json() for table in self.tables], "summary": counts, "verdict": self.verdict}

    def __str__(self) -> str:
        return "\n\n".join([*map(str, self.tables), self.summary()])


# ------------------------------------------------------------------ from plain data to text


def heading(table: Mapping[str, Any]) -> str:
    """Name and parameters of a table."""
    shown = ", ".join(f"{name} = {text(value)}" for name, value in table["parameters"].items())
    name = table["theorem"]
    return (f"Theorem {name}" if name[0].isdigit() else f"{name} theorem") + (f" for {shown}" if shown else "")


def show(table: Mapping[str, Any]) -> str:
    """A table as a person reads it, from its plain data."""
    claims = table["claims"]
    cells = [("claim", "stated", "exact", "verdict", "because")]
    cells += [(c["statement"], text(c["stated"]), text(c["exact"]), c["verdict"], c["evidence"]) for c in claims]
    lines = aligned(cells)
    shown = [lines[0]]
    for claim, line in zip(claims, lines[1:], strict=True):
        shown += [line, f"    -> {claim['truth']}"] if claim["truth"] else [line]
    return "\n".join([heading(table), table["title"], "", *shown])


def summarize(tables: Sequence[Mapping[str, Any]]) -> str:
    """One line a theorem, and the totals, from plain data."""
    cells = [("theorem", "claims", *(v.lower() for v in VERDICTS))]
    every: list[str] = []
    for table in tables:
        verdicts = [claim["verdict"] for claim in table["claims"]]
        every += verdicts
        cells.append((table["theorem"], str(len(verdicts)), *(str(verdicts.count(v)) for v in VERDICTS)))
    cells.append(("all", str(len(every)), *(str(every.count(v)) for v in VERDICTS)))
    return "\n".join(aligned(cells))


def decide(rows: Iterable[Row], clock: Clock) -> Iterator[Claim]:
    """Compute every row. A budget that ends leaves the rest unknown; other errors are errors."""
    for row in rows:
        try:
            found = row.find()
        except BudgetExceededError as error:
            reason = "the budget is used up" if clock.is_over else str(error)
            yield Claim(row.statement, row.stated, "?", UNKNOWN, reason)
            continue
        verdict = UNKNOWN if found.holds is None else PROVED if found.holds else CORRECTED if found.truth else REFUTED
        truth = found.truth if verdict == CORRECTED else ""
        yield Claim(row.statement, row.stated, found.exact, verdict, found.evidence, truth)


def worst(verdicts: Iterable[str]) -> str:
    """The worst of them; PROVED if there are none."""
    return max(verdicts, key=VERDICTS.index, default=PROVED)


def left(clock: Clock) -> Budget:
    """What is left of a budget. An error if nothing is."""
    clock.check()
    budget = clock.budget
    return Budget(clock.remaining_seconds, budget.cells, budget.memory, budget.cancellation)


def aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    """Lines of equal columns, without trailing blanks."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    ]


def text(value: Any) -> str:
    """A value as it is printed; integers of many digits as powers of ten."""
    if isinstance(value, int) and abs(value) >= 10**15:
        return f"{value:.6e}" if abs(value) < 10**300 else f"about 10^{len(str(abs(value))) - 1}"
    if isinstance(value, list):
        if len(value) > 8:
            return f"({text(value[0])}, …, {text(value[-1])}), {len(value)} numbers"
        return "(" + ", ".join(map(text, value)) + ")"
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(x) for x in value]
    return str(value) if isinstance(value, Fraction) else value
