"""The rules of the house: imports go one way, libraries stay in their rooms, nothing phones home."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    "errors": 0, "units": 1, "evidence": 2, "scenario": 3, "pathway": 4, "optimise": 5, "result": 6,
    "analysis": 7, "report": 8, "questions": 8, "ui": 9, "arguments": 9, "commands": 10, "documents": 11, "cli": 12,
    "__main__": 13, "__init__": 9,
}
ROOMS = {
    "streamlit": ("app.py", "planner/ui/"),
    "pulp": ("planner/optimise/",),
    "highspy": ("planner/optimise/",),
    "plotly": tuple(p.relative_to(ROOT).as_posix() for p in (ROOT / "planner" / "report").glob("*charts*.py")),
    "openpyxl": ("planner/evidence/tables.py", "planner/report/workbook.py"),
    "frictionless": ("planner/evidence/",),
    "pydantic": ("planner/scenario/",),
    "docx": ("planner/report/word.py",),
    "PIL": ("planner/report/drawing.py",),
}
NETWORK = {"requests", "urllib.request", "urllib3", "http.client", "socket", "aiohttp", "httpx", "ftplib"}
SOURCES = [ROOT / "app.py", *sorted((ROOT / "planner").rglob("*.py"))]


def imports(path: Path) -> set[str]:
    """Modules imported at run time (imports for type checkers only do not count)."""
    names = set()
    tree = ast.parse(path.read_text("utf-8"))
    typing_only = {
        inner for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
    return names


def room(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def floor(module: str) -> int | None:
    parts = module.split(".")
    return FLOORS.get(parts[1]) if parts[0] == "planner" and len(parts) > 1 else None


@pytest.mark.parametrize("path", SOURCES, ids=room)
def test_imports_go_down(path):
    if path.name == "app.py":
        return
    inside = path.relative_to(ROOT / "planner").parts[0].removesuffix(".py")
    mine = FLOORS[inside]
    for name in imports(path):
        theirs = floor(name)
        if theirs is not None and name.split(".")[1] != inside:
            assert theirs < mine or inside in ("__init__", "__main__"), f"{room(path)} imports {name}"


@pytest.mark.parametrize("path", SOURCES, ids=room)
def test_libraries_stay_in_their_rooms(path):
    for name in imports(path):
        allowed = ROOMS.get(name.split(".")[0])
        if allowed:
            assert room(path).startswith(allowed), f"{room(path)} imports {name}"


@pytest.mark.parametrize("path", SOURCES, ids=room)
def test_nothing_reaches_the_network(path):
    assert not imports(path) & NETWORK


@pytest.mark.parametrize("path", SOURCES, ids=room)
def test_no_eval_no_pickle_no_path_of_one_machine(path):
    text = path.read_text("utf-8")
    assert not re.search(r"\b(eval|exec)\(|import pickle|/home/|/Users/|[A-Z]:\\\\", text)


@pytest.mark.parametrize("path", SOURCES, ids=room)
def test_files_stay_readable(path):
    assert len(path.read_text("utf-8").splitlines()) <= 420


def test_requirements_are_pinned_and_cover_the_package():
    lines = (ROOT / "requirements.txt").read_text("utf-8").split()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    assert all(re.fullmatch(r"[A-Za-z0-9_.\-]+==[A-Za-z0-9_.+!]+", line) for line in lines)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["test"]
    names = {re.match(r"[A-Za-z0-9_.\-]+", w).group().lower() for w in wanted}
    assert names <= pinned, names - pinned


def test_streamlit_asks_nobody():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert config["browser"]["gatherUsageStats"] is False
    assert config["server"]["enableXsrfProtection"] is True
