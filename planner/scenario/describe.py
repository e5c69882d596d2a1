"""A scenario in plain sentences: all of it, or what sets it apart from another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from planner.scenario import own_words
from planner.scenario.model import DrugAccess, Override, Scenario, placed
from planner.scenario.scenario import loads

AXES = {"testing": "Testing budget", "treatment": "Treatment budget", "total": "Budget for tests and treatment"}
AIMS = {
    "qalys": "most healthy years (QALYs)", "life_years": "most life-years", "deaths_averted": "most deaths averted",
    "dalys_averted": "most DALYs averted", "patients_treated": "most patients treated with a matched drug",
    "net_health": "most health after what the money would bring elsewhere (net health)",
}
PAYER_WORDS = own_words.PAYERS
NAMED = {
    "drug": ("drugs", "drug", "name"), "assay": ("assays", "assay_id", "name"), "platform": ("platforms", "platform_id", "name"),
    "indication": ("indications", "indication_id", "name"), "biomarker": ("biomarkers", "biomarker_id", "short_name"),
    "therapy": ("therapies", "therapy_id", "name"), "site": ("cancer_sites", "cancer_site", "name"),
    "unit": ("dosing", "drug", "unit"),
}
GRADES = {1: "practice-changing", 2: "strong", 3: "early", 4: "any"}


def describe(scenario: Scenario, evidence=None, facts: Iterable[Mapping] = ()) -> list[str]:
    """The scenario as sentences: its place and what differs from the method's defaults."""
    root = loads('parent = "defaults"', changes={"setting": {"country": scenario.setting.country}})
    return [_place(scenario, evidence), *(s for s in differences(scenario, root, evidence, facts)
                                          if not s.startswith("Place: "))]


def differences(scenario: Scenario, parent: Scenario, evidence=None, facts: Iterable[Mapping] = ()) -> list[str]:
    """What sets a scenario apart from another, one plain sentence for each setting, in fixed order.

    ``evidence`` lends places, drugs and use cases their names; without it ids stand. ``facts``: the numbers in use
    (``provenance`` of a plan), which tell what an own number replaces.
    """
    name = namer(evidence)
    out = [_place(scenario, evidence)] if scenario.setting != parent.setting else []
    for part in (_cases, _method, _money, _access, _lists, _rest):
        out += part(scenario, parent, name)
    return out + list(_numbers(scenario, parent, name, facts))


# -- words -----------------------------------------------------------------------------------------

def usd(amount: float) -> str:
    """A stated amount, exact as the planner gave it."""
    return f"US$ {amount:,.0f}" if float(amount).is_integer() else f"US$ {amount:,.2f}"


def percent(share: float) -> str:
    return f"{share * 100:.4g} %"


def _and(words) -> str:
    words = list(words)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else "nobody"


def namer(evidence) -> Callable[[str, str], str]:
    """(kind, id) -> name for the reader; the id where no evidence is given or knows it."""
    def name(kind: str, key: str) -> str:
        if evidence is None:
            return key
        if kind in NAMED:
            table, column, words = NAMED[kind]
            return evidence.record(table, **{column: key}).get(words) or key
        indication, _, biomarker = key.partition("/")
        first = evidence.record("biomarkers", biomarker_id=biomarker).get("short_name")
        second = evidence.record("indications", indication_id=indication).get("name")
        return f"{first} in {second[0].lower()}{second[1:]}" if first and second else key
    return name


def _place(s: Scenario, evidence) -> str:
    country, region = s.setting.country, s.setting.region
    if evidence is not None:
        from planner.evidence.strata import place

        here = place(evidence, country, region)
        country, region = (here.name, None) if region else (here.name, region)
    if s.setting.regions:
        return f"Place: every region of {country}"
    return f"Place: {placed(f'{region}, {country}' if region else country, s.setting.hospital)}"


# -- parts -----------------------------------------------------------------------------------------

def _cases(s: Scenario, p: Scenario, name) -> Iterator[str]:
    for key in sorted(s.cases.keys() | p.cases.keys()):
        if s.cases.get(key) != p.cases.get(key):
            yield f"{name('indication', key)}: " + (f"{s.cases[key]:,.10g} people a year in the hospital"
                                                    if key in s.cases else "no people stated in the hospital")


def _method(s: Scenario, p: Scenario, name) -> Iterator[str]:
    changed = _changes(s, p)
    if changed("mode"):
        yield "A given list is evaluated, not optimised" if s.mode == "evaluate" else "The list is optimised"
    if changed("years"):
        yield "One steady-state year" if s.years == 1 else f"Plan over {s.years} years"
    if changed("objective"):
        yield f"Aim: {AIMS[s.objective]}"
    if changed("value_of_qaly"):
        yield "A healthy year (QALY) is valued at the country's own threshold" if s.value_of_qaly == "national" \
            else f"A healthy year (QALY) is valued at {usd(s.value_of_qaly)}"
    if changed("discount_rate"):
        yield f"Discount rate {percent(s.discount_rate)} a year"
    if changed("import_markup"):
        yield f"Import mark-up {percent(s.import_markup)} on traded parts of borrowed costs"
    if changed("evidence_gate.level"):
        yield f"Evidence counts down to level {s.evidence_gate.level} ({GRADES[s.evidence_gate.level]})"
    if changed("evidence_gate.value_gate"):
        yield "Only therapies within the value threshold count" if s.evidence_gate.value_gate \
            else "Therapies count whatever their value for money"


def _money(s: Scenario, p: Scenario, name) -> Iterator[str]:
    changed = _changes(s, p)
    for axis, words in AXES.items():
        if changed(f"budget.{axis}"):
            yield f"{words} {_limit(getattr(s.budget, axis))}"
    if changed("budget.basis"):
        yield "Budgets come on top of today's spending, and today's testing is kept up" \
            if s.budget.basis == "additional" else "Budgets are all yearly money"
    if changed("budget.payers"):
        yield f"Treatment budgets bind the spending of {_and(PAYER_WORDS[z] for z in s.budget.payers)}"
    if changed("budget.savings_cashable"):
        yield "Money that tests save on drugs may be spent again" if s.budget.savings_cashable \
            else "Money that tests save on drugs may not be spent again"
    if changed("frontier.axis"):
        yield f"Ranks follow the {AXES[s.frontier.axis].lower()}"


def _limit(limit) -> str:
    if limit is None:
        return "without a limit"
    if isinstance(limit, tuple):
        return f"by year: {', '.join(usd(x) for x in limit)}"
    return f"{usd(limit)} a year"


def _access(s: Scenario, p: Scenario, name) -> Iterator[str]:
    changed = _changes(s, p)
    if changed("access.mode"):
        yield "Patients who can get the drug are tested first" if s.access.mode == "selective" \
            else "Patients are tested whether or not they can get the drug"
    for drug in s.access.buy:
        if drug not in p.access.buy:
            yield f"Access to {name('drug', drug)} may be bought"
    for drug in p.access.buy:
        if drug not in s.access.buy:
            yield f"Access to {name('drug', drug)} may no longer be bought"
    if changed("access.ceiling"):
        yield "Bought access reaches as far as the evidence says" if s.access.ceiling is None \
            else f"Bought access reaches at most {percent(s.access.ceiling)} of those in need"
    for drug, reach in sorted(s.access.drugs.items()):
        if reach != p.access.drugs.get(drug):
            yield f"{name('drug', drug)} {_reach(reach)}"
    for drug in sorted(set(p.access.drugs) - set(s.access.drugs)):
        yield f"{name('drug', drug)} as reachable as today"


def _reach(reach: float | DrugAccess) -> str:
    reach = reach if isinstance(reach, DrugAccess) else DrugAccess(share=reach)
    words = []
    if reach.share is not None:
        words.append({1.0: "reachable for everyone", 0.0: "reachable for nobody"}.get(
            reach.share, f"reachable for {percent(reach.share)} of those in need"))
    if reach.courses is not None:
        words.append(f"limited to {reach.courses:,.6g} courses a year")
    if reach.payer:
        words.append(f"paid by {PAYER_WORDS[reach.payer]}")
    return ", ".join(words)


def _lists(s: Scenario, p: Scenario, name) -> Iterator[str]:
    for now, before, plus, minus in (
        (s.policy.must_fund, p.policy.must_fund, "must be funded", "need no longer be funded"),
        (s.policy.exclude, p.policy.exclude, "is left out", "is no longer left out"),
        (s.services.exclude, p.services.exclude, "is not offered as a service", "is offered as a service again"),
    ):
        yield from (f"{name('use case', i)} {plus}" for i in now if i not in before)
        yield from (f"{name('use case', i)} {minus}" for i in before if i not in now)
    for key, share in sorted(s.evaluate.items()):
        if share != p.evaluate.get(key):
            yield f"{name('use case', key)} tested in {percent(share)} of the eligible"


def _rest(s: Scenario, p: Scenario, name) -> Iterator[str]:
    changed = _changes(s, p)
    if changed("coverage.maximum"):
        yield f"Testing can reach at most {percent(s.coverage.maximum)} of the eligible"
    if changed("coverage.ramp_per_year"):
        ramp = s.coverage.ramp_per_year
        yield "Testing may grow at any speed" if ramp is None \
            else f"Testing grows by at most {percent(ramp)} of the eligible a year"
    yield from _laboratory(s, p, changed, name)
    if changed("display.currency"):
        code = s.display.currency or "the local currency"
        yield "Money shown in dollars only" if code == "USD" else f"Money shown in {code} beside dollars"
    for key in sorted(s.equity.weights.keys() | p.equity.weights.keys()):
        weight = s.equity.weights.get(key, 1.0)
        if weight != p.equity.weights.get(key, 1.0):
            yield f"Health in {name('indication', key)} counts {weight:,.4g} times" if weight != 1 \
                else f"Health in {name('indication', key)} counts as elsewhere"


def _laboratory(s: Scenario, p: Scenario, changed, name) -> Iterator[str]:
    mine, theirs = s.laboratory, p.laboratory
    if changed("laboratory.costing"):
        yield "The laboratory is costed by its parts: instruments, runs and samples" if mine.costing == "micro" \
            else "Tests are costed at their tariffs"
    if changed("laboratory.tier"):
        yield f"The laboratory is of the {mine.tier} tier" if mine.tier else "The laboratory's tier as in the evidence"
    for platform in sorted(mine.instruments.keys() | theirs.instruments.keys()):
        count = mine.instruments.get(platform, 0)
        if count != theirs.instruments.get(platform, 0):
            yield f"Instruments there already: {count} {name('platform', platform)}"
    if changed("laboratory.runs_a_year"):
        yield f"Schedules to choose from: {_and(f'{n:,.4g}' for n in mine.runs_a_year)} runs a year"
    if changed("laboratory.minimum_volume"):
        yield "A test may be run at home at any volume" if mine.minimum_volume is None \
            else f"A test is run at home from {mine.minimum_volume:,.4g} samples a year on"
    if changed("laboratory.seconds"):
        yield f"The search for whole instruments may take {mine.seconds:,.4g} seconds"
    if changed("laboratory.gap"):
        yield f"The search for whole instruments may stop within {percent(mine.gap)} of the most that is possible"
    for who, words in (("technician", "technicians"), ("scientist", "scientists"), ("pathologist", "pathologists"),
                       ("board", "the tumour board")):
        if changed(f"laboratory.{who}_minutes"):
            minutes = getattr(mine, f"{who}_minutes")
            yield f"Time of {words} is not limited" if minutes is None \
                else f"Time of {words}: {minutes:,.0f} minutes a year"
    if changed("services.send_out"):
        yield "Samples may be sent abroad" if s.services.send_out else "No sample is sent abroad"
    if changed("services.buy_instruments"):
        yield "Instruments may be bought" if s.services.buy_instruments else "No instrument is bought"


def _numbers(s: Scenario, p: Scenario, name, facts: Iterable[Mapping]) -> Iterator[str]:
    """Numbers of the evidence that a scenario replaces, with what they stand in place of."""
    before = {o.identity: o for o in p.override}
    shipped = _shipped(facts, name) if s.override else {}
    for o in s.override:
        old = before.get(o.identity)
        if o != old:
            instead = _amount(old, name) if old else shipped.get(o.identity, "")
            yield f"{_of(o, name)}: {_amount(o, name)}{f' instead of {instead}' if instead else ''} ({o.why})"
    gone = set(before) - {o.identity for o in s.override}
    yield from (f"{_of(before[i], name)} as in the evidence" for i in sorted(gone))


def _shipped(facts: Iterable[Mapping], name) -> dict[tuple, str]:
    """What own numbers replace, by the identity of their override; one that replaces several says from which to which."""
    found: dict[tuple, list] = {}
    for f in facts:
        if f.get("shipped") is not None and f.get("own_key") is not None:
            identity = (f["table"], tuple(sorted(f["own_key"].items())), f["column"])
            found.setdefault(identity, []).append(f["shipped"])
    out = {}
    for (table, key, column), values in found.items():
        low, high = (own_words.rounded(v, table, column, _unit(dict(key), name)) for v in (min(values), max(values)))
        out[table, key, column] = low if low == high else f"{low} to {high}"
    return out


def _amount(o: Override, name) -> str:
    return own_words.amount(o.value, o.table, o.column, o.currency, o.year, _unit(o.key, name))


def _unit(key: Mapping[str, str], name) -> str:
    """In what a drug is measured; empty for what is no drug's, or where no evidence tells."""
    drug = key.get("drug", "")
    unit = name("unit", drug)
    return "" if unit == drug else unit


def _of(o: Override, name) -> str:
    return own_words.of(o.table, o.column, o.key, name)


def _changes(s: Scenario, p: Scenario) -> Callable[[str], bool]:
    def changed(path: str) -> bool:
        return _at(s, path) != _at(p, path)
    return changed


def _at(scenario: Scenario, path: str) -> Any:
    value: Any = scenario
    for step in path.split("."):
        value = getattr(value, step)
    return value
