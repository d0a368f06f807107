"""The walls of the house: who may import what."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "reluzono"
FILES = sorted(ROOT.rglob("*.py"))

#: from the ground up; a module may import its own layer and those before it
LAYERS = [
    [
        "_core",
        "_core_regions",
        "_core_topes",
        "_core_vertices",
        "_core_counting",
        "_core_cells",
        "_core_zonotope",
        "_core_linear",
        "_core_partition",
        "_core_training",
        "_core_sided",
        "_core_least_squares",
        "_core_squared",
        "_core_programs",
        "_core_kinked",
        "_core_exact_bound",
    ],
    ["errors"],
    ["exact"],
    ["linalg", "lifting"],
    ["budget"],
    ["certificates"],
    ["geometry"],
    ["networks"],
    ["functions"],
    ["training"],
    ["gap"],
    ["io"],
    ["testing", "plotting", "sklearn", "doctor", "cli", "commands"],
    ["__main__"],
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
OPTIONAL = {"torch", "onnx", "onnxruntime", "sklearn", "matplotlib", "tqdm", "rich", "networkx"}
EDGES = {"io", "plotting", "sklearn", "cli", "commands", "doctor", "testing"}


def layer_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports_of(path: Path) -> list[tuple[str, bool]]:
    """(module, is it at the top level) of every absolute import."""
    tree = ast.parse(path.read_text())
    top = set(tree.body)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node in top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.append((node.module or "", node in top))
            if node.module == "reluzono":  # "from reluzono import io" names a module too
                found += [(f"reluzono.{alias.name}", node in top) for alias in node.names if alias.name in RANK]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_downwards(path: Path) -> None:
    here = layer_of(path)
    if here == "__init__":
        return
    assert here in RANK, f"{here} has no place in the layers"
    for module, _ in imports_of(path):
        parts = module.split(".")
        if parts[0] == "reluzono" and len(parts) > 1:
            assert RANK[parts[1]] <= RANK[here], f"{path.name} imports {module}, which stands above it"
        if parts[0] == "cdd":
            assert path.name == "polyhedron.py"
        if parts[0] in OPTIONAL:
            assert here in EDGES, f"{path.name} imports {module}: only edges may"
        if here == "certificates" and parts[0] != "reluzono":
            assert parts[0] in sys.stdlib_module_names, f"certificates must not need {module}"


def test_optional_packages_are_imported_inside_functions() -> None:
    for path in FILES:
        if (
            path == ROOT / "sklearn.py"
        ):  # estimators inherit from scikit-learn's classes; the module is imported on demand
            continue
        for module, at_top in imports_of(path):
            assert not (at_top and module.split(".")[0] in OPTIONAL), f"{path.name}: {module}"


def test_import_is_light() -> None:
    code = (
        "import sys, reluzono; reluzono.ReLUNetwork; reluzono.Polyhedron; reluzono.enumerate_regions;"
        f"heavy = {sorted(OPTIONAL)} + ['scipy.optimize', 'scipy.spatial'];"
        "print([m for m in heavy if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_public_names_exist() -> None:
    import reluzono

    for name in reluzono.__all__:
        assert getattr(reluzono, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = reluzono.no_such_name


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_and_functions_are_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 700
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body
            is_doc = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
            start = (body[0].end_lineno or 0) + 1 if is_doc else node.lineno
            length = (node.end_lineno or 0) - start + 1
            assert length <= 60, f"{node.name} has {length} lines"


def test_the_architecture_page_names_every_module() -> None:
    page = (ROOT.parent / "docs" / "explanation" / "architecture.md").read_text()
    modules = [path.name for path in ROOT.iterdir() if path.suffix in (".py", ".pyx", ".pxd") and path.stem[:2] != "__"]
    folders = [f"{path.parent.name}/" for path in ROOT.glob("*/__init__.py")]
    assert [name for name in modules + folders if f"`{name}`" not in page] == []
