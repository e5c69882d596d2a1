"""What a reader of a plan must not miss, as codes with a figure, the lines concerned, and a sentence."""

from __future__ import annotations

from planner.pathway.laboratories import above_tier
from planner.result import priority
from planner.units import EARLIER_RATE


def warnings(maker, ranked: list[priority.Judged]) -> list[dict]:
    """What a reader must not miss: funded lines above the threshold, budgets already spent blind."""
    out = []
    funded = [j for j in ranked if j.funded != "no"]
    above = [j for j in funded if not j.within and (j.line.health["qalys"] or 0.0) > 0]
    if above:
        money = sum(j.line.testing_cost for j in above)
        out.append({"code": "funded_above_threshold", "figure": money, "unit": "USD a year",
                    "lines": [j.use_case.id for j in above],
                    "text": f"{len(above)} funded {'line costs' if len(above) == 1 else 'lines cost'} more per healthy "
                            "year than the threshold"})
    losing = [j for j in funded if (j.line.health["qalys"] or 0.0) < -1e-9]
    if losing:
        out.append({"code": "loses_health", "figure": sum(j.line.health["qalys"] for j in losing), "unit": "QALYs a year",
                    "lines": [j.use_case.id for j in losing],
                    "text": f"{len(losing)} funded {'line saves' if len(losing) == 1 else 'lines save'} money at a loss "
                            "of health"})
    left = [j for j in ranked if j.reason["code"] == "no_number"]
    if left:
        out.append({"code": "no_number", "figure": len(left), "unit": "lines", "lines": [j.use_case.id for j in left],
                    "text": f"{len(left)} {'line has' if len(left) == 1 else 'lines have'} no number for the objective "
                            "in use and "
                            f"{'is' if len(left) == 1 else 'are'} left out"})
    if maker.scenario.budget.basis == "additional" and not any(u.kap0 is not None for u, _ in maker.use_cases.values()):
        out.append({"code": "today_unknown", "figure": 0, "unit": "lines", "lines": [],
                    "text": "today's testing is unknown here, so that money additional to today's is all money"})
    unmet = [j for j in ranked if j.use_case.must_fund and j.funded != "full"]
    if unmet:
        out.append({"code": "mandate_not_met", "figure": len(unmet), "unit": "lines",
                    "lines": [j.use_case.id for j in unmet],
                    "text": "; ".join(f"{j.use_case.id} is mandated but {j.reason['text']}" for j in unmet)})
    out += money_warnings(maker) + rate_warnings(maker) + laboratory_warnings(maker) + price_warnings(maker)
    return out + (given_warnings(maker) if maker.given else [])


def money_warnings(maker) -> list[dict]:
    """Budgets that treatment without tests has already used up."""
    blind = maker.engine.formulation.blind_spending[0]
    return [
        {"code": "blind_above_budget", "figure": blind, "unit": "USD a year", "lines": [],
         "text": f"treatment without tests already costs US$ {blind:,.0f} a year, more than the {axis} budget"}
        for axis in ("treatment", "total")
        if (limit := maker.scenario.limit(axis, 0)) is not None and maker.scenario.budget.basis == "all"
        and blind > limit
    ]


def rate_warnings(maker) -> list[dict]:
    """Own money that an earlier year's exchange rate had to turn into dollars."""
    late = [f for f in maker.problem.facts if f"{EARLIER_RATE} " in f.note and f.quality == "D"]
    said = sorted({part for f in late for part in f.note.split("; ") if part.startswith(EARLIER_RATE)})
    names = ", ".join(sorted({f"{f.parameter} {f.key}".strip() for f in late}))
    return [{"code": "earlier_exchange_rate", "figure": len(late), "unit": "numbers", "lines": [],
             "text": f"{'; '.join(said)} ({names})"}] if late else []


def laboratory_warnings(maker) -> list[dict]:
    """Tests that run at home only because the scenario states their instrument."""
    home = maker.problem.laboratory
    mine = {row["assay"]: home.assay(row["assay"]) for row in maker.home_tests} if home else {}
    above = [a for _, a in sorted(mine.items()) if a.tier and above_tier(a.tier, home.tier)]
    if not above:
        return []
    return [{"code": "above_its_laboratory", "figure": len(above), "unit": "tests", "lines": [],
             "text": "run at home, as the scenario states their instruments, though this laboratory is "
                     f"{home.tier}: " + ", ".join(f"{a.name} (needs a {a.tier} one)" for a in above)}]


def price_warnings(maker) -> list[dict]:
    """Tests whose own full price is below borrowed reagents alone: such a home laboratory is dear by another's numbers."""
    if maker.problem.laboratory is None:
        return []
    facts = {(f.parameter, f.key): f for f in maker.problem.facts}
    said = []
    for a in maker.problem.laboratory.assays:
        own, reagents = facts.get(("cost of the assay", a.assay)), facts.get(("reagents of a sample", a.assay))
        if own and reagents and _own(own) and not _own(reagents) and own.value < reagents.value:
            said.append(f"{a.name}: reagents alone, borrowed from {_from(reagents)}, cost US$ {reagents.value:,.0f} a sample, "
                        f"more than your own full price of US$ {own.value:,.0f}")
    return [{"code": "own_price_below_reagents", "figure": len(said), "unit": "tests", "lines": [],
             "text": "; ".join(said) + ": enter your own reagents before an own laboratory is judged by them"}] if said else []


def _own(fact) -> bool:
    """Whether a number is the scenario's or the setting's own, not one of the shipped evidence."""
    return fact.level == "scenario" or "own_values" in fact.source_ids


def _from(fact) -> str:
    """Where a borrowed number was read."""
    origin = fact.note.partition("origin=")[2][:3] or (fact.stratum if fact.level == "country" else "elsewhere")
    return f"{origin} ({', '.join(fact.source_ids)})"


def given_warnings(maker) -> list[dict]:
    """Where a given list does not fit the limits, or is cut to what can be reached."""
    out = []
    spent = maker.axis, maker.reference_spending()
    limit = maker.scenario.limit(maker.axis, 0)
    if limit is not None and spent[1] > limit + 0.01:
        out.append({"code": "over_budget", "figure": spent[1], "unit": "USD a year", "lines": [],
                    "text": f"the list costs US$ {spent[1]:,.0f} a year, more than the {maker.axis} budget"})
    cut = sorted({u.id for u, _ in maker.use_cases.values() if u.active
                  and maker.scenario.evaluate.get(u.id, 0.0) > u.kap + 1e-9})
    if cut:
        out.append({"code": "cut_to_attainable", "figure": len(cut), "unit": "lines", "lines": cut,
                    "text": f"{', '.join(cut)}: more than can be reached was asked and is cut to it"})
    never = sorted({u.id for u, _ in maker.use_cases.values() if not u.active
                    and maker.scenario.evaluate.get(u.id, 0.0) > 0})
    if never:
        out.append({"code": "cannot_be_tested", "figure": len(never), "unit": "lines", "lines": never,
                    "text": f"{', '.join(never)}: cannot be tested for here and is left out"})
    return out
