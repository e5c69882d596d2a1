"""Plans side by side, with today's practice as the explicit reference: what entered, left, changed, and why.

Between two scenarios every difference is also tried alone, so that a change of the list can be laid to the
setting that made it; between two evidence versions the same is done with the rows that differ
(:mod:`planner.analysis.versions`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from planner.analysis.batch import version
from planner.analysis.changed import SMALL, against_today, changes, in_list, line_key, line_label
from planner.analysis.study import Analysis, Frozen, Progress, frozen_rows, lowered, silent
from planner.analysis.study import money as dollars
from planner.analysis.versions import evidence_changes
from planner.errors import BadInput, Issue, PlannerError
from planner.evidence.base import Evidence
from planner.result.make import make_plan
from planner.result.plan import Plan
from planner.scenario.describe import differences
from planner.scenario.model import Scenario
from planner.scenario.reading import Layer, resolve
from planner.scenario.scenario import difference

MOST = 12  # plans on one page
CHOICE = "today's money, spent where it brings most"
CHANGED = ("plan", "indication_id", "biomarker_id", "indication", "short_name", "change")
OUTCOMES = ("testing_cost", "treatment_cost", "incremental_cost", "qalys", "life_years", "deaths_averted", "dalys_averted",
            "patients_eligible", "patients_tested", "positives_found", "patients_treated", "lines_funded", "net_health",
            "cost_per_qaly")


def compare(scenarios: Sequence[Scenario], evidence: Evidence, against: Evidence | None = None,
            progress: Progress = silent) -> Analysis:
    """Plans of several scenarios, or of one on two evidence versions.

    The first scenario is the one that the others are compared with; today's practice is the reference of
    all. Tables: ``outcomes`` (one row per plan, today first), ``lines`` (plan x line), ``changes`` (plan x
    line that entered, left or changed, with what did it), ``settings`` (what sets each scenario apart),
    ``evidence`` (rows that differ between two versions and the lines each of them moves), ``because`` and
    ``moved`` (the causes of changes, and the lines that evidence moves, one a row), ``today`` (plan x line whose
    testing today is known, with what sets it apart) and ``today_because`` (its causes, one a row). Raises
    BadInput and Infeasible, the latter naming the scenario.
    """
    _checked(scenarios, against)
    plans = []
    for n, scenario in enumerate(scenarios):
        progress(0.5 * n / len(scenarios), f"planning {scenario.name}")
        plans.append(_planned(scenario, evidence))
    names = _names(scenarios)
    if against is not None:
        plans.append(_planned(scenarios[0], against))
        names.append(f"{names[0]}, evidence {against.version} {against.digest[:8]}")
    moved = [_settings_alone(plans[0], p, evidence, progress) for p in plans[1:]] if against is None else [{}]
    tried = evidence_changes(plans[0], plans[1], evidence, against, progress) if against is not None else []
    if tried:
        moved = [_by_line(tried)]
    changed = [change for name, plan, why in zip(names[1:], plans[1:], moved, strict=True)
               for change in changes(name, plans[0], plan, why)]
    versions = [evidence] * len(plans) if against is None else [evidence, against]
    today = [row for name, plan, its in zip(names, plans, versions, strict=True)
             for row in against_today(name, plan, _since_today(plan, its))]
    tables = {
        "outcomes": list(_outcomes(names, plans)), "lines": list(_lines(names, plans)), "changes": changed,
        "settings": [{"plan": name, "difference": text} for name, s, p in zip(names[1:], scenarios[1:], plans[1:], strict=False)
                     for text in differences(s, scenarios[0], evidence, p.document["provenance"])],
        "evidence": tried,
        "because": [{k: c[k] for k in CHANGED} | {"because": cause} for c in changed for cause in c["because"]],
        "moved": list(_moved(tried)),
        "today": today,
        "today_because": [{k: c[k] for k in CHANGED} | {"because": cause} for c in today for cause in c["because"]],
    }
    first = plans[0]
    head = {key: first.document[key] for key in ("model_version", "base_year", "evidence", "place", "currency", "threshold")}
    if against is not None:
        head["against_evidence"] = {"version": against.version, "sha256": against.digest}
    return Analysis("compare", scenarios[0], Frozen(head), Frozen({"plans": names}),
                    tuple(_words(names, plans, changed, today)), frozen_rows(tables))


def _checked(scenarios: Sequence[Scenario], against: Evidence | None) -> None:
    if not scenarios or len(scenarios) > MOST:
        raise BadInput([Issue("compare", f"{len(scenarios)} scenarios", f"give 1 to {MOST}")])
    if against is not None and len(scenarios) > 1:
        raise BadInput([Issue("--against-evidence", "it compares one scenario on two evidence versions",
                              "give one scenario")])


def _names(scenarios: Sequence[Scenario]) -> list[str]:
    """Names of the plans, made distinct."""
    names = [s.name for s in scenarios]
    return [name if names.count(name) == 1 else f"{name} ({n})" for n, name in enumerate(names, 1)]


def _planned(scenario: Scenario, evidence: Evidence) -> Plan:
    try:
        return make_plan(scenario, evidence, version())
    except PlannerError as error:
        raise type(error)([Issue(f"{scenario.name}: {i.where}", i.what, i.remedy, i.code, i.have, i.need, i.axis, i.unit)
                           for i in error.issues]) from error


# -- tables ----------------------------------------------------------------------------------------------

def _outcomes(names: Sequence[str], plans: Sequence[Plan]) -> Iterator[dict]:
    for place, plan in {p.document["place"][0]["code"]: p for p in reversed(plans)}.items():
        reference = plan.document["reference"]
        totals = reference["totals"]
        yield {"plan": reference["name"] if totals else "today: unknown", "place": place, "is_reference": True,
               **{o: totals[o] if totals else None for o in OUTCOMES}, "note": reference["note"]}
    for name, plan in zip(names, plans, strict=True):
        totals = plan.document["totals"]
        yield {"plan": name, "place": plan.document["place"][0]["code"], "is_reference": False,
               **{o: totals[o] for o in OUTCOMES},
               "note": "" if not totals["cost_is_upper_bound"] else "costs are upper bounds: a comparator has no price"}


def _lines(names: Sequence[str], plans: Sequence[Plan]) -> Iterator[dict]:
    for name, plan in zip(names, plans, strict=True):
        for row in plan.document["list"]:
            yield {"plan": name} | line_label(row) | {
                "rank": row["rank"], "coverage": row["coverage"], "funded": row["funded"], "in_plan": in_list(row),
                "priority_tier": row["priority_tier"], "coverage_today": row["coverage_today"],
                "patients_treated": row["patients_treated"], "qalys": row["qalys"], "testing_cost": row["testing_cost"]}


# -- why ---------------------------------------------------------------------------------------------------

def _settings_alone(first: Plan, second: Plan, evidence: Evidence, progress: Progress) -> dict[tuple, list[str]]:
    """For each line that changed, the differences between the scenarios which, alone, change it too."""
    a, b = first.scenario, second.scenario
    if a.setting != b.setting:
        return {line_key(c): ["another place"] for c in changes("", first, second, {})}
    wanted = {c["indication_id"] + "/" + c["biomarker_id"]: c["change"] for c in changes("", first, second, {})}
    out: dict[tuple, list[str]] = {}
    single = list(_singly(a, b))
    for n, scenario in enumerate(single):
        progress(0.5 + 0.5 * n / len(single), "trying each difference alone")
        text = "; ".join(differences(scenario, a, evidence, second.document["provenance"]))
        try:
            plan = make_plan(scenario, evidence, "")
        except PlannerError:
            continue
        for change in changes("", first, plan, {}):
            key = change["indication_id"] + "/" + change["biomarker_id"]
            if wanted.get(key) == change["change"]:
                out.setdefault(line_key(change), []).append(text)
    together = {key for k in wanted if (key := tuple(k.split("/"))) not in out} if single else ()
    return {key: ["the differences together"] for key in together} | out


def _since_today(plan: Plan, evidence: Evidence) -> dict[tuple, list[str]]:
    """What sets a plan apart from today's practice, by line: a mandate, an exclusion or a given list; else the plan
    with today's testing money is tried, and what changes with that too is laid to the choice, the rest to the money."""
    rows = {line_key(r): r for r in against_today("", plan)}
    totals = plan.document["reference"]["totals"]
    if not rows or not totals:
        return {}
    same = _same_money(plan.scenario, totals["testing_cost"], evidence)
    money = f"{dollars(plan.totals['testing_cost'])} a year for tests against {dollars(totals['testing_cost'])} today"
    planned = {line_key(r): r for r in plan.document["list"]}
    return {key: _cause(plan.scenario, planned[key], row["change"] == same.get(key), money)
            for key, row in rows.items() if row["change"] != "same"}


def _same_money(scenario: Scenario, spent: float, evidence: Evidence) -> dict[tuple, str]:
    """How lines would stand beside today were today's testing money planned; nothing where that cannot be."""
    if scenario.mode == "evaluate":
        return {}
    budget = scenario.budget.model_copy(update={"testing": spent, "basis": "all"})
    try:
        plan = make_plan(scenario.model_copy(update={"budget": budget}), evidence, "")
    except PlannerError:  # mandates may need more than is spent today
        return {}
    return {line_key(r): r["change"] for r in against_today("", plan)}


def _cause(scenario: Scenario, row: Mapping[str, Any], chosen: bool, money: str) -> list[str]:
    """Why one line stands otherwise than today."""
    line = f"{row['indication_id']}/{row['biomarker_id']}"
    if scenario.mode == "evaluate":
        return ["the list is given"]
    if line in scenario.policy.exclude:
        return ["the scenario leaves it out"]
    if row["mandated"]:
        return ["it must be funded"]
    cause = [CHOICE if chosen else money]
    most = row["attainable_coverage"]
    if row["coverage"] < row["coverage_today"] and row["coverage"] >= most - SMALL:
        return [f"no more than {most:.0%} can be reached under the limits of coverage"]
    return cause


def _singly(a: Scenario, b: Scenario) -> Iterator[Scenario]:
    """The first scenario with one setting of the second at a time."""
    for path, value in _leaves(difference(b, a)):
        nested: Any = value
        for step in reversed(path):
            nested = {step: nested}
        try:
            yield resolve(Layer("one difference", _whole(a), None), nested)
        except BadInput:
            continue  # a setting that makes no sense alone


def _whole(s: Scenario) -> dict[str, Any]:
    """A scenario as the text of a file with the method's defaults for a parent."""
    import tomllib

    from planner.scenario.scenario import dumps

    return tomllib.loads(dumps(s))


def _leaves(data: Mapping[str, Any], at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in data.items():
        if not at and key in ("name", "description", "parent", "setting"):
            continue
        if isinstance(value, Mapping) and len(at) < 1:
            yield from _leaves(value, (*at, key))
        else:
            yield (*at, key), value


def _by_line(tried: Sequence[Mapping[str, Any]]) -> dict[tuple, list[str]]:
    out: dict[tuple, list[str]] = {}
    for row in tried:
        for line in row["lines"]:
            out.setdefault(tuple(line.split("/")), []).append(row["words"])
    return out


def _moved(tried: Sequence[Mapping[str, Any]]) -> Iterator[dict]:
    """Rows of the evidence about one thing x line that they move alone."""
    for row in tried:
        for line in row["lines"]:
            indication, biomarker = line.split("/")
            yield {"table": row["table"], "about": row["about"], "indication_id": indication, "biomarker_id": biomarker}


def _words(names: Sequence[str], plans: Sequence[Plan], changed: Sequence[Mapping[str, Any]],
           today: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for name, plan in zip(names[1:], plans[1:], strict=True):
        mine = [c for c in changed if c["plan"] == name]
        health = plan.totals["qalys"] - plans[0].totals["qalys"]
        same = abs(health) < 0.5
        yield f"{name}: as many healthy years a year as {names[0]}." if same else \
            f"{name}: {abs(health):,.0f} healthy years a year {'more' if health >= 0 else 'less'} than {names[0]}."
        for what, verb in (("entered", "enter"), ("left", "leave")):
            lines = [f"{c['short_name']} in {lowered(c['indication'])}" for c in mine if c["change"] == what]
            if lines:
                yield f"{len(lines)} {'line' if len(lines) == 1 else 'lines'} {verb}{'s' if len(lines) == 1 else ''}: " \
                      f"{', '.join(lines[:6])}{' and more' if len(lines) > 6 else ''}."
        moved = [c for c in mine if c["change"] in ("more", "less", "tier")]
        if moved:
            tiers = sum(c["change"] == "tier" for c in moved)
            yield f"Lines that reach more or fewer people: {len(moved) - tiers}; that only change their priority: {tiers}."
        if not mine:
            yield "No line changes."
    known = [r for r in today if r["plan"] == names[0]]
    if known:
        more, less = (sum(r["change"] in words for r in known) for words in (("entered", "more"), ("left", "less")))
        yield f"Against today's practice, known for {len(known)} lines: {names[0]} tests more in {more} of them, less in {less}."
    else:
        yield "Today's testing is unknown here: every figure is against no testing."
