"""The commands that write documents: the plan with its brief, the access proposal, the laboratory request."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import planner
from planner.arguments import KINDS, PAPERS, at_home, collected, evidence_of, number, outputs, scenario_of, write_text
from planner.commands import MOST_DRAWS, MOST_SEED, Watched
from planner.errors import BadInput, Issue
from planner.optimise.integer import searching
from planner.report import tables

PLAN_KINDS = (*KINDS, *PAPERS)
PROPOSAL_KINDS = (".docx", ".html", ".json")
REQUEST_KINDS = (".csv", ".xlsx", *PAPERS)


def add_documents(add: Callable) -> None:
    """Add the commands; ``add`` makes one of a name, a function, its words and whether it takes a scenario."""
    plan_ = add("plan", plan, "the ranked list for a scenario, and its brief", scenario=True)
    plan_.add_argument("--out", action="append", default=[], metavar="FILE",
                       help="write .json, .xlsx or .csv; the brief as .docx or .html")
    plan_.add_argument("--access", action="store_true", help="the brief says which drugs would unlock most")
    plan_.add_argument("--draws", default="0", metavar="N",
                       help="the brief says how sure the list is, by so many draws (default 0)")
    proposal_ = add("proposal", proposal, "what a drug, or a biomarker with its drugs, needs and brings", scenario=True)
    proposal_.add_argument("--drug", metavar="trastuzumab", help="a drug that follows from a test")
    proposal_.add_argument("--biomarker", metavar="her2", help="a biomarker, with all drugs that it selects")
    proposal_.add_argument("--countries", metavar="KEN,UGA,...", help="codes or names, with commas (default: the scenario's)")
    proposal_.add_argument("--draws", default="0", metavar="N", help="prices and what to measure by so many draws (default 0)")
    proposal_.add_argument("--out", action="append", default=[], metavar="FILE", help="write .docx, .html or .json")
    for command in (plan_, proposal_):
        command.add_argument("--seed", default="1", metavar="S", help="of the draws (default 1)")
    add("request", request, "what the laboratory must buy and staff for a plan", scenario=True).add_argument(
        "--out", action="append", default=[], metavar="FILE", help="write .csv, .xlsx, .docx or .html")


def _draws(arguments) -> tuple[Callable, ...]:
    return ((lambda: number(arguments.draws, "--draws", 0, MOST_DRAWS)), (lambda: number(arguments.seed, "--seed", 0, MOST_SEED)))


# -- the plan ----------------------------------------------------------------------------------------------

def plan(arguments) -> int:
    """Plan a scenario; write the files asked for, else print the list."""
    files, draws, seed, scenario = collected(lambda: outputs(arguments.out, PLAN_KINDS), *_draws(arguments),
                                             lambda: scenario_of(arguments))
    briefed = [f for f in files if f.suffix.lower() in PAPERS]
    _asked_in_vain(arguments, draws, briefed)
    evidence = evidence_of(arguments)
    with Watched() as shown, searching(shown) as watch:
        made = planner.plan(scenario, evidence)
        paper = _brief(made, evidence, arguments.access, draws, seed, watch) if briefed else None
    for file in files:
        if file in briefed:
            write_paper(paper, file)
        else:
            WRITERS[file.suffix.lower()](made, evidence, file)
    if not files:
        print(tables.printed(made.document), end="")
    return 0


def _asked_in_vain(arguments, draws: int, briefed: list[Path]) -> None:
    """--access and --draws are for the brief: without one they would be work for nothing."""
    asked = [name for name, wanted in (("--access", arguments.access), ("--draws", draws)) if wanted]
    if asked and not briefed:
        raise BadInput([Issue(name, "it is for the brief, and none is written", "add --out brief.docx or brief.html", "no_brief")
                        for name in asked])


def _brief(made, evidence, unlocking: bool, draws: int, seed: int, watch):
    from planner.report.composed import brief_of

    return brief_of(made, evidence, unlocking, draws, seed, watch)


def write_paper(paper, file: Path) -> None:
    """Write a document by its ending. Raises BadInput where it cannot be written."""
    if file.suffix.lower() == ".docx":
        from planner.report.word import write

        write(paper, file)
    else:
        from planner.report.html import page

        write_text(file, page(paper))


def _workbook(made, evidence, file: Path) -> None:
    from planner.report.workbook import write_workbook

    write_workbook(made, evidence, file)


WRITERS: dict[str, Callable] = {
    ".json": lambda made, evidence, file: write_text(file, tables.plan_json(made.document)),
    ".csv": lambda made, evidence, file: write_text(file, tables.list_csv(made.document)),
    ".xlsx": _workbook,
}


# -- the laboratory request ----------------------------------------------------------------------------------

def request(arguments) -> int:
    """Plan a scenario; write the laboratory request, else print it."""
    from planner.report import paper
    from planner.report import request as asked

    files, scenario = collected(lambda: outputs(arguments.out, REQUEST_KINDS), lambda: scenario_of(arguments))
    evidence = evidence_of(arguments)
    with Watched() as shown, searching(shown):
        made = planner.plan(scenario, evidence)
    for file in files:
        if file.suffix.lower() == ".csv":
            write_text(file, asked.request_csv(made))
        elif file.suffix.lower() == ".xlsx":
            from planner.report.workbook import write_request

            write_request(made, evidence, file)
        else:
            write_paper(asked.paper(made), file)
    if not files:
        print(paper.plain_text(asked.paper(made)), end="")
    return 0


# -- the access proposal ---------------------------------------------------------------------------------------

def proposal(arguments) -> int:
    """Plan each country; write the proposal, else print it."""
    from planner.report.composed import optimised, proposal_of
    from planner.report.paper import plain_text
    from planner.report.proposal import proposal_json, subject_of

    files, draws, seed, scenario = collected(lambda: outputs(arguments.out, PROPOSAL_KINDS), *_draws(arguments),
                                             lambda: scenario_of(arguments))
    optimised(scenario)
    evidence = evidence_of(arguments)
    subject, countries = collected(lambda: subject_of(evidence, arguments.drug, arguments.biomarker),
                                   lambda: _countries(arguments.countries, scenario, evidence))
    with Watched() as shown, searching(shown) as watch:
        made = proposal_of(subject, scenario, evidence, countries, draws, seed, watch)
    for file in files:
        if file.suffix.lower() == ".json":
            write_text(file, proposal_json(made.found))
        else:
            write_paper(made.paper, file)
    if not files:
        print(plain_text(made.paper), end="")
    return 0


def _countries(text: str | None, scenario, evidence) -> list[str]:
    """Codes of the countries named, each once; the scenario's own where none is named."""
    from planner.evidence.strata import place

    if text is None:
        return [place(evidence, scenario.setting.country).iso3]
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise BadInput([Issue("--countries", "it names no country", "give codes such as KEN,UGA", "unknown_place")])
    codes = collected(*(partial(place, evidence, name) for name in names))
    at_home(scenario, evidence, names)
    return list(dict.fromkeys(p.iso3 for p in codes))
