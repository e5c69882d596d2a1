"""The chain of one use case: where patients are lost, from new cases to treated."""

from __future__ import annotations

from planner.pathway.problem import Indication, UseCase
from planner.result.readout import Line
from planner.result.standalone import Standalone, reach_of, shares

LINKS = ("eligible", "worked_up", "adequate", "in_time", "accessible", "treated")
WORDS = {
    "eligible": "reaching the treatment decision and care", "worked_up": "being tested",
    "adequate": "a sample that gives a result", "in_time": "a result in time",
    "accessible": "the drug being reachable", "treated": "being fit and starting",
}


def chain(u: UseCase, ind: Indication, line: Line, alone: Standalone | None) -> dict:
    """People at each link, ``eligible`` being those for whom the biomarker is a question.

    ``basis`` says whether these are the plan's numbers or, where the line is not funded, what full
    attainable coverage would give. ``positive`` counts people whose result calls for the drug. The
    bottleneck is the link that loses the largest share of those who reached the link before.
    """
    steps = dict(ind.steps)
    out = {"incident": ind.incident, "eligible": u.asked(ind.eligible)}
    planned = line.coverage > 0
    option = next((s for s in ind.services if alone and s.service == alone.service), None)
    result = option.result(u.biomarker) if option else None
    if planned:
        tested, adequate, in_time, called = (line.patients_tested, line.adequate, line.in_time, line.called)
        treated = _people_treated(u, line)
        accessible = min(called, _once(u, lambda t: line.therapies.get(t.therapy, 0.0) / t.fit if t.fit else 0.0))
    elif result:
        tested = u.asked(ind.eligible) * u.kap
        adequate, in_time = tested * result.usable, tested * result.eta
        called = in_time * sum(u.called(result))
        taken = shares(u.therapies, reach_of(at_ceiling=False), _gain)
        accessible = called * min(1.0, sum(taken.values()))
        treated = called * sum(taken[t.therapy] * t.fit for t in u.therapies)
    else:
        tested = adequate = in_time = called = accessible = treated = None
    out |= {"worked_up": tested, "adequate": adequate, "in_time": in_time, "positive": called,
            "accessible": accessible, "treated": treated}
    care = steps.get("reaches_care")
    return out | {"basis": "plan" if planned else "potential", "reaches_care": care,
                  "bottleneck": bottleneck(out, care)}


def _people_treated(u: UseCase, line: Line) -> float:
    """People given a matched drug, each once: the line of treatment that reaches most."""
    return min(line.called, _once(u, lambda t: line.therapies.get(t.therapy, 0.0)))


def _once(u: UseCase, people) -> float:
    """People by therapy, summed over the line of treatment that has most: several lines count once."""
    groups: dict[str, float] = {}
    for t in u.therapies:
        groups[t.line_group] = groups.get(t.line_group, 0.0) + people(t)
    return max(groups.values(), default=0.0)


def _gain(t) -> float:
    return t.effects.carrier["qalys"] or 0.0


def bottleneck(people: dict, care: float | None) -> str | None:
    """The link that loses most, in words."""
    if people["worked_up"] is None:
        return None
    kept = {"eligible": care if care is not None else 1.0}
    for before, after in (("eligible", "worked_up"), ("worked_up", "adequate"), ("adequate", "in_time"),
                          ("positive", "accessible"), ("accessible", "treated")):
        kept[after] = people[after] / people[before] if people[before] else 1.0
    worst = min(kept, key=lambda link: (kept[link], link))
    return WORDS[worst]
