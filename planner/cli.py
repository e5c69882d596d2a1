"""The command line: parse, call, print.

Exit status 0 done, 1 infeasible, 2 bad input (every fault on standard error, never a traceback).
"""

from __future__ import annotations

import argparse
import os
import runpy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import planner
from planner import commands, documents
from planner.arguments import a_hospital, collected, evidence_of, scenario_of
from planner.errors import BadInput, Issue, PlannerError


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal without accents still gets its table
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as stop:  # argparse has told what is wrong, or printed the help
        return 0 if not stop.code else 2
    try:
        return arguments.run(arguments)
    except PlannerError as error:
        return _tell(error.issues, error.exit_status)
    except BrokenPipeError:  # the reader of our output has gone (`| head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _tell(issues, status: int) -> int:
    head = "The input is not accepted:" if status == 2 else "There is no such plan:"
    print(head, *(f"- {issue}" for issue in issues), sep="\n", file=sys.stderr)
    return status


# -- arguments -------------------------------------------------------------------------------------

def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("planner", description=planner.__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--version", action="version",
                        version=f"planner {planner.__version__}, model {planner.MODEL_VERSION}")
    subparsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, run: Callable, words: str, scenario: bool = False, nargs=None) -> argparse.ArgumentParser:
        sub = subparsers.add_parser(name, help=words, description=words, allow_abbrev=False)
        sub.set_defaults(run=run)
        if scenario:
            sub.add_argument("scenario", nargs=nargs, metavar="SCENARIO", help="a .toml file, or the name of a shipped scenario")
            sub.add_argument("--budget", action="append", default=[], metavar="testing=USD",
                             help="a yearly limit of testing, treatment or total, or `unlimited`")
            sub.add_argument("--set", action="append", default=[], metavar="key=value",
                             help="any setting of a scenario, such as access.drugs.osimertinib=1.0")
        sub.add_argument("--evidence", action="append", default=[], metavar="PATH",
                         help="a folder or workbook laid over the shipped evidence")
        return sub

    documents.add_documents(add)
    add("validate", validate, "check evidence or a scenario; tell what the evidence covers").add_argument(
        "path", nargs="?", metavar="PATH", help="a scenario, a folder or a workbook (default: the shipped evidence)")
    add("places", places, "countries and regions that can be planned").add_argument(
        "--country", metavar="KEN", help="its regions")
    add("sources", sources, "where the numbers come from").add_argument(
        "--for", dest="use_case", metavar="indication/biomarker", help="the rows behind one use case")
    add("export-model", export_model, "the linear program as a file", scenario=True).add_argument(
        "--out", required=True, metavar="FILE", help="model.mps or model.lp")
    commands.add_commands(add)
    template_ = add("template", template, "a workbook of a place's numbers, to be changed and laid over the evidence")
    template_.add_argument("--out", required=True, metavar="inputs.xlsx")
    template_.add_argument("scenario", nargs="?", metavar="SCENARIO", help="of its place, with its hospital's cases")
    template_.add_argument("--country", metavar="KEN", help="in place of a scenario: a code or name, as `places` lists them")
    template_.add_argument("--region", metavar="US-TX", help="a region of it")
    add("audit", audit, "check every constraint and total of a plan file").add_argument(
        "plan", metavar="PLAN.json", help="a plan as `plan --out plan.json` writes it")
    add("benchmark", benchmark, "time the planner against a bare solver")
    return parser


# -- commands --------------------------------------------------------------------------------------

def validate(arguments) -> int:
    """Check a scenario against the evidence, or evidence by itself; tell what it covers."""
    from planner.evidence.base import data_folder, stated_cases
    from planner.evidence.base import validate as faults
    from planner.pathway.build import build_problem
    from planner.pathway.named import own_issues
    from planner.scenario.scenario import load, shipped

    name = arguments.path or ""
    if name.endswith(".toml") or (name in shipped() and not Path(name).exists()):
        cases = stated_cases(arguments.evidence)
        scenario = load(name, cases=cases)
        a_hospital(cases, scenario)
        build_problem(evidence_of(arguments), scenario)
        print(f"{arguments.path}: the scenario \"{scenario.name}\" can be planned.")
        return 0
    path = Path(arguments.path) if arguments.path else data_folder()
    issues = faults(path)
    for overlay in arguments.evidence:
        issues += faults(overlay)
    if issues:
        return _tell(issues, 2)
    whole = (path / "datapackage.json").is_file() or path.name == "datapackage.json"
    evidence = planner.load_evidence(path, arguments.evidence) if whole else \
        planner.load_evidence(overlays=[path, *arguments.evidence])
    issues = own_issues(evidence)
    if issues:
        return _tell(issues, 2)
    print(f"{arguments.path or 'The shipped evidence'}: no faults.", *_coverage(evidence), sep="\n")
    return 0


def template(arguments) -> int:
    """A workbook with every number that a place's plan reads, to be changed and laid over the evidence."""
    from planner.evidence.strata import place
    from planner.pathway.template import case_rows, template_rows
    from planner.report.workbook import write_template
    from planner.scenario.model import placed

    file = Path(arguments.out)

    def writable() -> None:
        issues = []
        if file.suffix.lower() != ".xlsx":
            issues.append(Issue(f"--out {arguments.out}", "the template is a workbook", "let the name end in .xlsx", "file_kind"))
        if not file.parent.is_dir():
            issues.append(Issue(f"--out {arguments.out}", "the folder does not exist", "create it first", "no_file"))
        if issues:
            raise BadInput(issues)

    def asked():
        country, region, hospital, cases = _template_of(arguments)
        return place(evidence, country, region), hospital, cases

    evidence = evidence_of(arguments)
    _, (here, hospital, cases) = collected(writable, asked)
    rows = template_rows(evidence, here.iso3, here.region, hospital, cases)
    name = placed(here.name, hospital)
    write_template(rows, name, evidence, file, case_rows(evidence, here.iso3, here.region, cases))
    print(f"{arguments.out}: the numbers of {name}. Change what you know better, then `validate` it and lay it over "
          "the evidence with --evidence.")
    return 0


def _template_of(arguments):
    """(country, region, hospital, its cases) that a template is asked for: of a scenario, or by country and region."""
    from planner.evidence.base import stated_cases
    from planner.scenario.scenario import load

    if (arguments.scenario is None) == (arguments.country is None) or (arguments.scenario and arguments.region):
        raise BadInput([Issue("template", "it is of one place", "give a scenario, or --country (and --region)", "conflict")])
    cases = stated_cases(arguments.evidence)
    if arguments.country is not None:
        return arguments.country, arguments.region, None, cases
    scenario = load(arguments.scenario, cases=cases)
    a_hospital(cases, scenario)
    return scenario.setting.country, scenario.setting.region, scenario.setting.hospital, scenario.cases


def _coverage(evidence) -> list[str]:
    """What the evidence covers, for the terminal."""
    from planner.evidence.checks import coverage
    from planner.evidence.laboratory_checks import bought_only

    c = coverage(evidence)
    out = [f"Version {evidence.version}, sha256 {evidence.digest}.",
           f"Use cases: {c.use_cases}; complete: {len(c.complete)}."]
    out += [f"  not plannable: {name}: {gap}" for name, gap in sorted(c.not_plannable.items())]
    out += [f"  only bought at its price, never run in a laboratory of one's own: {assay}: {lacks}"
            for assay, lacks in bought_only(evidence.tables).items()]
    out += ["Rows by grade (A to D), and countries with values of their own:"]
    for table, grades in sorted(c.cells_by_grade.items()):
        words = ", ".join(f"{grade} {n:,}" for grade, n in sorted(grades.items()))
        own = c.countries_with_own.get(table)
        out.append(f"  {table:22} {words}" + (f"; {own} countries" if own else ""))
    return out


def places(arguments) -> int:
    """Countries that can be planned, or the regions of one."""
    evidence = evidence_of(arguments)
    if arguments.country:
        from planner.evidence.strata import place

        here = place(evidence, arguments.country)
        regions = evidence.records("regions", iso3=here.iso3)
        print(f"{here.iso3}  {here.name}", *(f"  {r['region']:8} {r['name']}" for r in regions), sep="\n")
        if not regions:
            print("  no regions are known: plan for the country")
        return 0
    regions = {r["iso3"] for r in evidence.records("regions")}
    for row in evidence.records("countries"):
        if row["in_globocan"]:
            group = (row["income_group"] or "").replace("_", "-")
            print(f"{row['iso3']}  {row['name']:40} {group:14}{'regions' if row['iso3'] in regions else ''}".rstrip())
    return 0


def sources(arguments) -> int:
    """All sources, or the rows behind one use case with theirs."""
    evidence = evidence_of(arguments)
    if not arguments.use_case:
        for row in evidence.records("sources"):
            print(f"{row['source_id']}: {row['citation']}")
        return 0
    indication, _, biomarker = arguments.use_case.partition("/")
    known = {f"{r['indication_id']}/{r['biomarker_id']}" for r in evidence.records("use_cases")}
    if arguments.use_case not in known:
        from planner.scenario.faults import nearest

        raise BadInput([Issue(f"--for {arguments.use_case}", "unknown use case",
                              nearest(arguments.use_case, known), "unknown_id")])
    named = set()
    for table, row in _behind(evidence, indication, biomarker):
        named.add(row["source_id"])
        print(_source_line(table, row))
    print("", *(f"{row['source_id']}: {row['citation']}" for row in evidence.records("sources")
                if row["source_id"] in named), sep="\n")
    return 0


def _behind(evidence, indication: str, biomarker: str):
    """(table, row) of what belongs to a use case and names its source, in the tables' order."""
    wanted = {"indication_id": (indication, "*"), "biomarker_id": (biomarker,)}
    drugs = {d["drug"] for t in evidence.records("therapies", indication_id=indication, biomarker_id=biomarker)
             for d in evidence.records("therapy_drugs", therapy_id=t["therapy_id"])}
    for name in evidence.tables:
        header = set(evidence.table(name).columns)
        keys = [k for k in wanted if k in header]
        if "source_id" not in header or not (keys or "drug" in header):
            continue
        for row in evidence.records(name):
            if all(row[k] in wanted[k] for k in keys) and ("drug" not in header or row["drug"] in drugs):
                yield name, row


def _source_line(table: str, row: dict) -> str:
    where = f"{row['stratum_type']} {row['stratum']}" if "stratum" in row else ""
    skip = {"source_id", "quality", "note", "stratum", "stratum_type", "indication_id", "biomarker_id"}
    said = [f"{k}={v}" for k, v in row.items() if k not in skip and v is not None][:5]
    return "  ".join(filter(None, (f"{table:18}", where, ", ".join(said), f"grade {row.get('quality')}",
                                   f"[{row['source_id']}]")))


def export_model(arguments) -> int:
    """Write the linear program as the solver gets it."""
    file = Path(arguments.out)
    if file.suffix.lower() not in (".mps", ".lp") or not file.parent.is_dir():
        raise BadInput([Issue(f"--out {arguments.out}", "no model can be written there",
                              "name a file ending in .mps or .lp in a folder that exists", "file_kind")])
    from planner.optimise.resolve import Engine
    from planner.pathway.build import build_problem

    scenario, evidence = scenario_of(arguments), evidence_of(arguments)
    lp = _program(Engine(build_problem(evidence, scenario), scenario))
    try:
        if file.suffix.lower() == ".lp":
            lp.writeLP(str(file), max_length=255)
        else:
            lp.writeMPS(str(file))
    except OSError as error:
        raise BadInput([Issue(str(file), f"it cannot be written ({error.strerror})", "choose another place",
                              "no_file")]) from error
    return 0


def _program(engine):
    """The program with the limits that the engine works with: a budget on top of today's is known
    only once today's spending is."""
    lp = engine.formulation.lp
    for name in engine.model.row:
        row = lp.get_constraint_by_name(name) if name.startswith("budget_") else None
        upper = engine.model.bounds(name)[1]
        if row is not None and upper < 1e30:
            row.changeRHS(upper)
    return lp


def audit(arguments) -> int:
    """Check a plan file with code that is not the planner's; 1 where any check fails."""
    from planner.analysis.audit import audit as check

    found = check(arguments.plan, arguments.evidence, model_version=planner.MODEL_VERSION)
    print(found.text(), end="")
    return 0 if found.passed else 1


def benchmark(arguments) -> int:
    """Run the side-by-side measurements of a checkout."""
    script = Path(__file__).resolve().parents[1] / "benchmarks" / "bench.py"
    if not script.is_file():
        raise BadInput([Issue("benchmark", "the benchmarks come with the source only", "run it in a checkout",
                              "no_file")])
    return int(runpy.run_path(str(script))["main"]() or 0)
