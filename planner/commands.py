"""The commands of the analyses: arguments in, the question asked, files or the printed answer out.

Every fault of the arguments is told at once, before any work. Long work shows its progress on standard
error where that is a terminal.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from functools import partial

import planner
from planner.arguments import AXES, a_hospital, at_home, collected, evidence_of, number, outputs, scenario_of, write_text
from planner.errors import BadInput, Issue
from planner.evidence.base import stated_cases
from planner.optimise.integer import searching
from planner.report import analyses

MOST_DRAWS = 100_000
MOST_LISTS = 100
MOST_WORKERS = 1000
MOST_SEED = 2**63 - 1
OFTEN = 0.1  # seconds between two lines of progress


class Watched:
    """Progress on standard error: the share done and what is going on; silent where nobody looks."""

    def __init__(self):
        self.shown, self.last, self.seen = "", 0.0, sys.stderr.isatty()

    def __enter__(self) -> Watched:
        return self

    def __call__(self, share: float, words: str) -> None:
        now = time.monotonic()
        if self.seen and now - self.last >= OFTEN:
            self.last = now
            self._tell(f"{share:4.0%}  {words}"[: shutil.get_terminal_size().columns - 1])

    def __exit__(self, *error) -> None:
        if self.shown:
            self._tell("")
            sys.stderr.write("\r")
            sys.stderr.flush()

    def _tell(self, text: str) -> None:
        if text == self.shown:
            return
        sys.stderr.write("\r" + text.ljust(len(self.shown)))
        sys.stderr.flush()
        self.shown = text


# -- arguments -------------------------------------------------------------------------------------------

def add_commands(add: Callable) -> None:
    """Add the commands; ``add`` makes one of a name, a function, its words and whether it takes a scenario."""
    sub = partial(_with_out, add)
    frontier_ = sub("frontier", frontier, "what more money buys: value by budget, and who enters when")
    frontier_.add_argument("--axis", metavar="|".join(AXES), help="the budget that grows (default: the scenario's)")
    frontier_.add_argument("--without-mandates", action="store_true", help="lift what must be funded")
    alternatives_ = sub("alternatives", alternatives, "other lists that are nearly as good: what is certain in the plan")
    alternatives_.add_argument("--tolerance", default="0.02", metavar="SHARE", help="health that may be lost (default 0.02)")
    alternatives_.add_argument("--count", default="5", metavar="N", help="at most so many other lists (default 5)")
    sub("access", access, "which drug would unlock most, and the price at which it pays")
    sub("switching", switching, "the values at which decisions flip, and what each preference costs")
    sub("strategies", strategies, "ways to test for one indication side by side, or to run the whole laboratory").add_argument(
        "--indication", required=True, metavar="ID|all", help="an indication, or `all` for the whole laboratory")
    sub("sensitivity", sensitivity, "which number moves the plan most").add_argument(
        "--two-way", nargs=2, metavar="NAME", help="two of the numbers, named as in the table, on a grid")
    uncertainty_ = sub("uncertainty", uncertainty, "how sure the list is: every uncertain number drawn")
    uncertainty_.add_argument("--draws", default="1000", metavar="N", help="default 1000")
    uncertainty_.add_argument("--workers", metavar="N", help="threads on this computer (default: one per core)")
    compare_ = sub("compare", compare, "plans side by side: what enters, leaves, changes, and why", nargs="+")
    compare_.add_argument("--against-evidence", metavar="PATH",
                          help="one scenario on two versions: another data package, or a folder or workbook laid over this one")
    batch_ = sub("batch", batch, "one scenario in many countries")
    batch_.add_argument("--countries", required=True, metavar="all|KEN,UGA,...", help="codes or names, with commas")
    batch_.add_argument("--draws", default="0", metavar="N", help="how sure each line is, by so many draws (default 0)")
    batch_.add_argument("--per-person", action="store_true", help="budgets grow and shrink with the population")
    for command in (uncertainty_, batch_):
        command.add_argument("--seed", default="1", metavar="S", help="of the draws (default 1)")
        command.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster")


def _with_out(add: Callable, name: str, run: Callable, words: str, nargs=None):
    command = add(name, run, words, scenario=True, nargs=nargs)
    command.add_argument("--out", action="append", default=[], metavar="FILE", help="write .json, .xlsx or .csv")
    return command


def _axis(axis: str | None) -> str | None:
    if axis is None or axis in AXES:
        return axis
    raise BadInput([Issue(f"--axis {axis}", "unknown budget", f"choose {', '.join(AXES[:-1])} or {AXES[-1]}", "unknown_id")])


def _countries(arguments):
    """(evidence, codes or names, None for all); a name that no country has is told."""
    from planner.evidence.strata import place

    evidence = evidence_of(arguments)
    if arguments.countries.strip().casefold() == "all":
        return evidence, None
    names = [name.strip() for name in arguments.countries.split(",") if name.strip()]
    if not names:
        raise BadInput([Issue("--countries", "it names no country", "give `all`, or codes such as KEN,UGA", "unknown_place")])
    issues = []
    for name in names:
        try:
            place(evidence, name)
        except BadInput as error:
            issues += [Issue(f"--countries: {i.where}", i.what, i.remedy, i.code) for i in error.issues]
    if issues:
        raise BadInput(issues)
    return evidence, names


# -- commands --------------------------------------------------------------------------------------------

def frontier(arguments) -> int:
    """Value by budget."""
    files, scenario, axis = collected(*_common(arguments), lambda: _axis(arguments.axis))
    return _told(files, evidence_of(arguments), lambda evidence, _: planner.frontier(
        scenario, evidence, axis=axis, mandates=not arguments.without_mandates))


def alternatives(arguments) -> int:
    """Other lists within a tolerance."""
    files, scenario, tolerance, count = collected(
        *_common(arguments), lambda: number(arguments.tolerance, "--tolerance", 0, 1, whole=False),
        lambda: number(arguments.count, "--count", 1, MOST_LISTS))
    return _told(files, evidence_of(arguments), lambda evidence, watch: planner.alternatives(
        scenario, evidence, tolerance=tolerance, count=count, progress=watch))


def access(arguments) -> int:
    """What each drug would unlock."""
    files, scenario = collected(*_common(arguments))
    return _told(files, evidence_of(arguments), lambda evidence, watch: planner.access(scenario, evidence, progress=watch))


def switching(arguments) -> int:
    """Values at which decisions flip."""
    files, scenario = collected(*_common(arguments))
    return _told(files, evidence_of(arguments), lambda evidence, watch: planner.switching(scenario, evidence, progress=watch))


def strategies(arguments) -> int:
    """Ways to test for one indication, or to run the whole laboratory."""
    files, scenario = collected(*_common(arguments))
    return _told(files, evidence_of(arguments), lambda evidence, watch: planner.strategies(
        scenario, evidence, indication=arguments.indication, progress=watch), words=True)


def sensitivity(arguments) -> int:
    """Every uncertain number at both ends."""
    files, scenario = collected(*_common(arguments))
    two = tuple(arguments.two_way) if arguments.two_way else None
    return _told(files, evidence_of(arguments), lambda evidence, watch: planner.sensitivity(
        scenario, evidence, two_way=two, progress=watch))


def uncertainty(arguments) -> int:
    """Every uncertain number drawn."""
    files, scenario, draws, seed, workers = collected(
        *_common(arguments), lambda: number(arguments.draws, "--draws", 1, MOST_DRAWS), lambda: _seed(arguments),
        lambda: None if arguments.workers is None else number(arguments.workers, "--workers", 1, MOST_WORKERS))
    return _told(files, evidence_of(arguments), lambda evidence, watch: planner.uncertainty(
        scenario, evidence, draws=draws, seed=seed, progress=watch, scheduler=arguments.scheduler, workers=workers))


def compare(arguments) -> int:
    """Plans of several scenarios, or of one on two evidence versions."""
    files, scenarios, _ = collected(
        lambda: outputs(arguments.out),
        lambda: collected(*(partial(scenario_of, arguments, name) for name in arguments.scenario)),
        lambda: _one_scenario(arguments))
    a_hospital(stated_cases(arguments.evidence), *scenarios)
    against = arguments.against_evidence and _other_evidence(arguments, scenarios[0])
    return _told(files, evidence_of(arguments), lambda evidence, watch: planner.compare(
        scenarios, evidence, against=against, progress=watch))


def batch(arguments) -> int:
    """One scenario in many countries."""
    files, scenario, draws, seed, (evidence, countries) = collected(
        *_common(arguments), lambda: number(arguments.draws, "--draws", 0, MOST_DRAWS), lambda: _seed(arguments),
        lambda: _countries(arguments))
    at_home(scenario, evidence, countries)
    return _told(files, evidence, lambda evidence, watch: planner.batch(
        scenario, evidence, countries=countries, draws=draws, seed=seed, progress=watch, scheduler=arguments.scheduler,
        per_person=arguments.per_person))


def _common(arguments) -> tuple[Callable, ...]:
    return (lambda: outputs(arguments.out)), (lambda: scenario_of(arguments))


def _seed(arguments) -> int:
    return number(arguments.seed, "--seed", 0, MOST_SEED)


def _one_scenario(arguments) -> None:
    if arguments.against_evidence and len(arguments.scenario) > 1:
        raise BadInput([Issue("--against-evidence", "it compares one scenario on two evidence versions", "give one scenario")])


def _other_evidence(arguments, scenario):
    """The evidence to compare with: a data package of its own, or rows laid over the same evidence."""
    from pathlib import Path

    if any(scenario.cases.get(k) != v for k, v in stated_cases([arguments.against_evidence]).items()):
        raise BadInput([Issue("--against-evidence, sheet cases", "a hospital's cases belong to the scenario, not to the evidence",
                              "compare two scenario files, or empty the column `cases`", "conflict")])
    path = Path(arguments.against_evidence)
    if path.name == "datapackage.json" or (path / "datapackage.json").is_file():
        return planner.load_evidence(path, arguments.evidence)
    return evidence_of(arguments, [arguments.against_evidence])


def _told(files, evidence, ask: Callable, words: bool = False) -> int:
    """Ask; write the files asked for, else print the answer; ``words``: its sentences are printed beside files too."""
    with Watched() as shown, searching(shown) as watch:
        found = ask(evidence, watch)
    for file in files:
        WRITERS[file.suffix.lower()](found, evidence, file)
    if files and words:
        print(analyses.in_words(found), end="")
    if not files:
        width = shutil.get_terminal_size((analyses.WIDTH, 24)).columns if sys.stdout.isatty() else analyses.WIDTH
        print(analyses.printed(found, max(width, 60)), end="")
    return 0


def _workbook(found, evidence, file) -> None:
    from planner.report.workbook import write_analysis

    write_analysis(found, evidence, file)


WRITERS: dict[str, Callable] = {
    ".json": lambda found, evidence, file: write_text(file, analyses.analysis_json(found)),
    ".csv": lambda found, evidence, file: write_text(file, analyses.analysis_csv(found)),
    ".xlsx": _workbook,
}
