"""Why a line is funded, in part or not: a code, a figure with its unit, and a sentence."""

from __future__ import annotations

from planner.evidence.complete import NO_DECISION
from planner.pathway.problem import Indication, UseCase
from planner.result.readout import Line
from planner.result.standalone import Standalone

REACHABLE = 0.005  # a drug that fewer than one in 200 can get is not reachable
FUNDED = 1e-6  # coverage below which a line counts as not funded


def rounded(value: float) -> str:
    """Three figures, with thousands separators."""
    return f"{float(f'{value:.3g}'):,.10g}"


def said(code: str, figure: float | None, unit: str, text: str) -> dict:
    return {"code": code, "figure": figure, "unit": unit, "text": text}


def reason(u: UseCase, ind: Indication, state: str, line: Line, attainable: float,
           alone: Standalone | None, ratio: float | None, context: dict) -> dict:
    """The reason for one line. ``context``: gate, objective, binding limits, coverage by use case."""
    if context["given"] is not None:
        return _given(u, line, context["given"])
    if state == "full":
        return _funded(line)
    if state == "part":
        return _part(u, ind, line, attainable, context)
    return _cannot(u, ind, ratio, context) or _does_not(u, alone, context)


def _given(u: UseCase, line: Line, given: dict) -> dict:
    """Why a line of a given list stands where it does: because the list says so."""
    if u.id in given:
        return said("given", given[u.id], "share", f"as the given list says: {given[u.id]:.0%}")
    if line.coverage > FUNDED:
        return said("given", line.coverage, "share", "not on the given list, but needed first for a line that is")
    return said("given", 0.0, "share", "not on the given list")


def _funded(line: Line) -> dict:
    qalys = line.health["qalys"]
    if qalys is not None and qalys < 0:
        return said("funded", qalys, "QALYs a year", "funded for the money it saves, at a loss of health")
    if qalys is None or line.testing_cost <= 0:
        return said("funded", line.coverage, "share", "funded as far as it can be reached")
    figure = qalys / line.testing_cost
    return said("funded", figure, "QALYs per USD of tests",
                f"funded in full: {rounded(figure * 1e6)} healthy years per million dollars of tests")


def _cannot(u: UseCase, ind: Indication, ratio: float | None, context: dict) -> dict | None:
    """What keeps a line out whatever the money."""
    if u.gap.startswith(NO_DECISION):
        return said("no_decision", None, "", u.gap)
    if u.gap:
        return said("not_plannable", None, "", f"cannot be planned: missing {u.gap}")
    if u.excluded:
        return said("excluded", None, "", "taken off the list by this scenario")
    if not u.therapies:
        return said("no_therapy", None, "", "no matched therapy is known")
    if not u.gated and u.value_gated:
        return said("above_value_threshold", ratio, "USD per QALY",
                    "every matched therapy costs more per QALY than the threshold allows")
    if not u.gated:
        return said("below_gate", u.level, "evidence level",
                    f"evidence level {u.level}, the gate is {context['gate']}")
    if ind.eligible <= 0:
        return said("no_eligible", 0.0, "people a year", "no eligible patients here")
    measure = context["measure"]
    if all(t.effects.pair(measure) is None for t in u.therapies):
        return said("no_number", None, "",
                    f"left out: no number for the objective in use ({measure.replace('_', ' ')})")
    reach = max(t.alpha for t in u.therapies)
    if reach < REACHABLE:
        return said("not_accessible", reach, "share",
                    f"the drug is not reachable: {reach:.1%} of those in need can get it")
    return None


def _part(u: UseCase, ind: Indication, line: Line, attainable: float, context: dict) -> dict:
    """A line funded in part: which limit ends it, whom the money reaches, the next full budget."""
    people = u.asked(ind.eligible)
    rule = "those who can get the drug first" if context["mode"] == "selective" else "by lot among the eligible"
    reaches = f"reaches {line.patients_tested:,.0f} of {people * attainable:,.0f} people, {rule}"
    ends = [name for kind, name, _ in context["binding"] if kind in ("money", "people", "supply")]
    if not ends:
        return said("limited", line.coverage, "share", f"as far as access, supply or growth allows; {reaches}")
    text = f"{' and '.join(ends)} {'ends' if len(ends) == 1 else 'end'} here; {reaches}"
    if context["full"]:
        axis, amount = context["full"]
        return said("below_cut_off", amount, "USD a year", f"{text}; full at US$ {amount:,.0f} for {axis}")
    return said("below_cut_off", line.coverage, "share", text)


def _does_not(u: UseCase, alone: Standalone | None, context: dict) -> dict:
    """What keeps a line out under the limits set."""
    if alone is None:
        return said("no_assay", None, "", "no assay tells carriers from others well enough")
    unknown = [r for r in u.requires
               if context["coverage"].get((u.region, f"{u.indication}/{r}"), 1.0) <= FUNDED]
    if unknown:
        names = " and ".join(context["short_names"].get(r, r) for r in unknown)
        verb = "is" if len(unknown) == 1 else "are"
        return said("prerequisite", None, "", f"needs {names} first, which {verb} not funded")
    if alone.qalys <= 1e-12 and context["measure"] == "qalys":
        return said("dominated", alone.qalys, "QALYs per patient tested",
                    "testing brings no more health than treating without the test")
    binding = context["binding"]
    people = next((name for kind, name, _ in binding if kind == "people"), None)
    if people:
        return said("capacity", None, "", f"{people} is used up by lines that bring more")
    money = [name for kind, name, _ in binding if kind == "money"]
    if not money:
        return said("dominated", alone.qalys, "QALYs per patient tested", "does not raise the objective in use")
    figure, cut = alone.qalys_per_testing_dollar, context["cut_off"]
    if cut and len(money) == 1 and figure < cut:
        return said("below_cut_off", figure, "QALYs per USD of tests",
                    f"below the cut: {rounded(figure * 1e6)} healthy years per million dollars of tests "
                    f"against {rounded(cut * 1e6)} at the cut")
    verb = "is" if len(money) == 1 else "are"
    return said("below_cut_off", figure, "QALYs per USD of tests",
                f"{' and '.join(money)} {verb} spent on lines that bring more of what is maximised")
