"""How sure is the list: two questions, kept apart.

*How would the list change?* Every draw is planned again under the same limits: robustness of each line.
*How does this list fare?* A stated finite set of lists is valued in each draw, with recourse where its money
does not reach: probability of beating today, expected loss, acceptability, value of information.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import numpy as np

from planner.analysis import voi
from planner.analysis.alternatives import alternatives_values
from planner.analysis.draws import Candidate, Drawn, run, sampled
from planner.analysis.study import Analysis, Progress, Study, figure, money, silent
from planner.errors import BadInput, Issue, PlannerError, SolverFailure
from planner.evidence.base import Evidence
from planner.optimise.solver import INF
from planner.pathway.drawn import GROUPS, NOT_DRAWN, movers
from planner.pathway.words import number_words
from planner.result.make import plan_from_engine
from planner.scenario.model import Scenario

ROBUST = 0.8  # share of draws in which a core line is in
MOST_DRAWS = 100_000
SAMPLED = 8  # lists taken from a sample of draws into the finite set
TELLING = 1000  # draws from which single numbers are ranked in words
SINGLE = 15  # parameters whose own value of information is shown
NAMED = 3  # numbers to measure first that are named
PLACES = ("1", "2", "3")
THRESHOLDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)  # times the setting's


def uncertainty(scenario: Scenario, evidence: Evidence, draws: int = 1000, seed: int = 1, progress: Progress = silent,
                scheduler: str | None = None, workers: int | None = None) -> Analysis:
    """Draws of all uncertain parameters.

    Tables: ``lines`` (share of draws in which each line is in, robust tier), ``candidates`` (each list:
    means, chance of being best, expected loss), ``acceptability`` (threshold x list), ``information``
    (EVPI, EVPPI by group and for single parameters, in QALYs and USD a year), ``outcomes`` (health and cost
    of the plan and of planning again: mean, 2.5 %, median, 97.5 %), ``prices`` (highest cost of a course
    that pays, with interval), ``holds`` (list x line that it holds). Raises BadInput, Infeasible.
    """
    if not 1 <= draws <= MOST_DRAWS:
        raise BadInput([Issue("draws", f"{draws:,} draws", f"give 1 to {MOST_DRAWS:,}")])
    study = Study(scenario, evidence)
    plan = plan_from_engine(study.engine, evidence, "")
    lists = candidates(study, seed)
    alike, compared = on_known_lines(study, lists)
    drawn = run(study, [*lists, *alike], draws, seed, progress, scheduler, workers)
    progress(0.98, "value of information")
    names = [c.name for c in lists]
    like = _some(drawn, slice(len(lists), None))
    drawn = _some(drawn, slice(len(lists)))
    net, like_net = (d.candidate_health - d.candidate_cost / study.problem.threshold for d in (drawn, like))
    tables = {
        "lines": _lines(study, drawn, plan.document["list"]), "candidates": _candidates(study, lists, drawn, net, like_net),
        "acceptability": _acceptability(study, names, drawn), "information": _information(study, drawn, net),
        "outcomes": _outcomes(names, drawn), "prices": _prices(study, drawn),
        "holds": [{"list": c.name} | study.label(key) for c in lists for key in sorted(study.members(c.values))],
    }
    settings = {
        "draws": draws, "seed": seed, "candidates": names, "infeasible_draws": int(np.isnan(drawn.health).sum()),
        "beats_reference": _beats(like_net, names), "beats_reference_health": _beats(like.candidate_health, names),
        "reference": names[0], "compared_lines": compared, "all_lines": len(study.engine.keys),
        "recourse": "where a draw's money does not reach, every line is delivered to the same share of its people",
        "groups": GROUPS, "not_drawn": list(NOT_DRAWN),
    }
    return study.answer("uncertainty", settings, _words(study, tables, settings), tables)


def _beats(values: np.ndarray, names: list[str]) -> float:
    """Share of draws in which the plan does better than the reference."""
    return float((values[:, names.index("the plan")] > values[:, 0]).mean())


def _some(drawn: Drawn, which: slice) -> Drawn:
    """The draws with some of their lists."""
    return replace(drawn, **{name: getattr(drawn, name)[:, which]
                             for name in ("candidate_health", "candidate_cost", "candidate_share")})


def on_known_lines(study: Study, lists: list[Candidate]) -> tuple[list[Candidate], int]:
    """Each list on the lines alone whose testing today is known, and how many these are: like is compared with
    like. All are delivered as today's practice is valued, by the cheapest services at their coverage. The lists
    as they are where nothing is known of today."""
    today, known = study.engine.today()
    if today is None:
        return lists, len(study.engine.keys)
    out = []
    for candidate in lists:
        coverage = dict(zip(study.engine.keys, study.engine.coverage(candidate.values), strict=True))
        found = study.engine.evaluate({key: coverage[key] for key in known})
        if found is None:
            raise SolverFailure([Issue("the lines known today", f"'{candidate.name}' cannot be carried out on them alone",
                                       "report the scenario")])
        out.append(Candidate(candidate.name, found.values))
    study.engine.reset()
    return out, len(known)


def candidates(study: Study, seed: int = 1) -> list[Candidate]:
    """The finite set: today's practice (or no testing, where it is unknown), the plan, up to three others of
    nearly the same health, the list that is best in net health, and those that were best in net health in
    the draws of a small sample of its own. The first is the reference."""
    nothing = Candidate("no testing", np.zeros(len(study.engine.model.variables)))
    solution, _ = study.engine.today()
    first = [nothing] if solution is None else [Candidate("today, where known", solution.values), nothing]
    out = [*first, Candidate("the plan", study.optimum.plan.values)]
    out += [Candidate(f"list {n}", v) for n, v in enumerate(alternatives_values(study, 0.02, 3), 1)]
    return out + worth_their_cost(study, seed)


def worth_their_cost(study: Study, seed: int) -> list[Candidate]:
    """Lists that are best in net health under the same limits: with the evidence's own values, and the most
    frequent ones over a small sample of draws; each as its base-case plan. Without them every list of the
    set could be too dear, and information would look worthless."""
    scenario = study.scenario.model_copy(update={"objective": "net_health"})
    other = Study(scenario, study.evidence)
    other.__dict__["problem"] = study.problem
    try:
        engine, best = other.engine, other.optimum
    except PlannerError:
        return []
    if [v.name for v in engine.model.variables] != [v.name for v in study.engine.model.variables]:  # lines left out
        return []
    seen = Counter(sampled(other, seed)).most_common()
    own = other.members(best.plan.values)
    out = [Candidate("best in net health", best.plan.values)]
    for n, (wanted, _) in enumerate([s for s in seen if s[0] != own][:SAMPLED], 1):
        for key in engine.keys:
            if key not in wanted:
                engine.cheapest.set_columns(engine.q_columns[key], 0.0, 0.0)
                engine.model.set_columns(engine.q_columns[key], 0.0, 0.0)
        with suppress(PlannerError):  # a mandate may need a line that this set leaves out
            values = engine.optimum().plan.values
            if not any(np.allclose(values, c.values, atol=1e-6) for c in out):
                out.append(Candidate(f"net health {n}", values))
        for key in engine.keys:
            engine.cheapest.set_columns(engine.q_columns[key], 0.0, INF)
            engine.model.set_columns(engine.q_columns[key], 0.0, INF)
    return out


def compared_words(settings) -> str:
    """On which lines the plan is compared with today's practice, where today is known of some of them only."""
    known, every = settings["compared_lines"], settings["all_lines"]
    return "" if known == every else f"on the {known} of {every} lines whose testing today is known, "


# -- tables ----------------------------------------------------------------------------------------------

def _lines(study: Study, drawn: Drawn, rows: list[dict]) -> list[dict]:
    tiers = {(r["region"], f"{r['indication_id']}/{r['biomarker_id']}"): r for r in rows}
    done = ~np.isnan(drawn.health)
    out = []
    for j, key in enumerate(study.engine.keys):
        row = tiers[key]
        inside = [study.inside(key, c) for c in drawn.coverage[done, j]]
        share = float(np.mean(inside)) if inside else None
        tier = row["priority_tier"]
        robust = "expand" if tier == "core" and share is not None and share < ROBUST else tier
        out.append(study.label(key) | {
            "rank": row["rank"], "share_in": share, "standard_error": _error(share, int(done.sum())),
            "in_plan": study.inside(key, row["coverage"]), "priority_tier": tier, "robust_tier": robust,
            "mean_coverage": float(drawn.coverage[done, j].mean()) if done.any() else None,
        })
    return sorted(out, key=lambda r: r["rank"])


def _error(share: float | None, n: int) -> float | None:
    """Monte Carlo standard error of a share."""
    return None if share is None or n == 0 else float(np.sqrt(share * (1 - share) / n))


def _candidates(study: Study, lists: list[Candidate], drawn: Drawn, net: np.ndarray, like: np.ndarray) -> list[dict]:
    names = [c.name for c in lists]
    best = np.bincount(net.argmax(axis=1), minlength=len(names)) / len(net)
    loss = voi.expected_loss(net)
    return [{"list": name, "qalys": float(drawn.candidate_health[:, c].mean()), "cost": float(drawn.candidate_cost[:, c].mean()),
             "holds": tuple(study.said(key) for key in sorted(study.members(lists[c].values))),
             "net_health": float(net[:, c].mean()), "chance_best": float(best[c]), "expected_loss": float(loss[c]),
             "beats_reference": float((like[:, c] > like[:, 0]).mean()),
             "delivered": float(drawn.candidate_share[:, c].mean()),
             "money_short": float((drawn.candidate_share[:, c] < 1 - 1e-9).mean())} for c, name in enumerate(names)]


def _acceptability(study: Study, names: list[str], drawn: Drawn) -> list[dict]:
    values = [study.problem.threshold * t for t in THRESHOLDS]
    chance = voi.acceptability(drawn.candidate_health, drawn.candidate_cost, values)
    return [{"threshold": value, "list": name, "chance_best": float(chance[n, c])}
            for n, value in enumerate(values) for c, name in enumerate(names)]


def _information(study: Study, drawn: Drawn, net: np.ndarray) -> list[dict]:
    """EVPI first, then EVPPI by group, then of the single parameters that matter most. A group is worth at
    least what the best of its own parameters is. Standard errors are those of the draws for this set of lists."""
    perfect = voi.evpi(net)

    def row(kind: str, name: str, words: str, found: tuple[float, float], parameters: int, quality=None) -> dict:
        amount = min(max(found[0], 0.0), perfect)
        return {"kind": kind, "name": name, "words": words, "qalys": amount, "usd": amount * study.problem.threshold,
                "standard_error": found[1], "parameters": parameters, "quality": quality}

    out = [row("evpi", "everything", "knowing every drawn number exactly (drug access and prices are not drawn)",
               (perfect, voi.standard_error(voi.evpi, net)), len(drawn.parameters))]
    if len(net) < voi.LEAST_DRAWS:
        return out
    single = [(voi.above_chance(net, p.draws[:, None]), p) for p in _strongest(drawn, net)]
    single.sort(key=lambda s: (-s[0][0], s[1].name))
    for group, words in GROUPS.items():
        mine = [p.draws for p in drawn.parameters if p.group == group]
        if mine:
            best = next(((found, p.draws[:, None]) for found, p in single if p.group == group), ((0.0, 0.0), None))
            found, draws = max((voi.above_chance(net, every := np.column_stack(mine)), every), best, key=lambda f: f[0][0])
            out.append(row("group", group, words, _with_error(found, net, draws), len(mine)))
    return out + [row("single", p.name, number_words(p.name, study.evidence), _with_error(found, net, p.draws[:, None]), 1,
                      p.quality) for found, p in single[:SINGLE]]


def _with_error(found: tuple[float, float], net: np.ndarray, draws: np.ndarray) -> tuple[float, float]:
    """(worth, standard error) of an EVPPI: that of the draws, with that of what chance finds."""
    return found[0], float(np.hypot(voi.standard_error(voi.evppi, net, draws), found[1]))


def _strongest(drawn: Drawn, net: np.ndarray) -> list:
    """Parameters that move some difference between lists most: the only ones worth a regression. Of those that
    one trial moves together one stands for all."""
    parameters = [p for p, *_ in movers(drawn.parameters).values()]
    x = np.column_stack([p.draws for p in parameters])
    x = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-15)
    gains = net - net[:, [int(net.mean(axis=0).argmax())]]
    gains = gains[:, gains.std(axis=0) > 1e-12]
    if gains.shape[1] == 0:
        return []
    gains = (gains - gains.mean(axis=0)) / gains.std(axis=0)
    return [parameters[j] for j in np.argsort(-voi.strength(x, gains), kind="stable")[:3 * SINGLE]]


def _outcomes(names: list[str], drawn: Drawn) -> list[dict]:
    done = ~np.isnan(drawn.health)
    plan = names.index("the plan")
    rows = [("the plan as it stands", "qalys", drawn.candidate_health[:, plan]),
            ("the plan as it stands", "cost", drawn.candidate_cost[:, plan]),
            ("planned again in each draw", "qalys", drawn.health[done]), ("planned again in each draw", "cost", drawn.cost[done])]
    return [{"list": name, "measure": measure, **spread(values)} for name, measure, values in rows if len(values)]


def spread(values: np.ndarray) -> dict[str, float]:
    """Mean, standard error of the mean, and central 95 % of draws."""
    low, middle, high = np.quantile(values, [0.025, 0.5, 0.975])
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    return {"mean": float(values.mean()), "standard_error": float(error), "low": float(low), "median": float(middle),
            "high": float(high)}


def _prices(study: Study, drawn: Drawn) -> list[dict]:
    out = []
    for (region, use_case, therapy), values in sorted(drawn.prices.items()):
        u = study.use_cases[region, use_case][0]
        t = next(t for t in u.therapies if t.therapy == therapy)
        out.append(study.label((region, use_case)) | {
            "therapy": therapy, "therapy_name": t.name, "course_cost": t.gross, **spread(values),
            "chance_pays_today": float((values >= t.gross).mean())})
    return out


def _measure(information: list[dict], draws: int) -> str:
    """What to measure first, and how sure its order is; or why nothing is said."""
    perfect = information[0]["qalys"]
    if perfect <= 1e-9:
        return "No measurement would change the choice among these lists by net health."
    if draws < TELLING:
        return f"What to measure first is told from {TELLING:,} draws on: with fewer it is noise."
    single = [r for r in information if r["kind"] == "single"]
    sure = [r for r in single if r["qalys"] > 2 * r["standard_error"] + 0.01 * perfect]
    if not sure:
        return "No single number stands out as worth measuring first."
    told = sure[:NAMED]
    return "Measure this first, to choose among these lists by net health: " + "; ".join(
        f"{r['words']} (worth {figure(r['qalys'])}, give or take {figure(2 * r['standard_error'])}, healthy years a year)"
        for r in told) + "." + _order(told, [r for r in single if r not in told])


def _order(told: list[dict], others: list[dict]) -> str:
    """Which places of the numbers to measure another seed could give to others: differences within two standard
    errors."""
    alike = [f"{a} and {b}" for n, (a, b) in enumerate(pairwise(PLACES[:len(told)])) if _within_error(*told[n:n + 2])]
    out = f" The order of places {', '.join(alike)} is within the error of the draws." if alike else ""
    rivals = [r for r in others if _within_error(told[-1], r)]
    if rivals:
        more = {1: "", 2: ", or one other"}.get(len(rivals), f", or one of {len(rivals) - 1} others")
        out += f" Place {PLACES[len(told) - 1]} is within that error: it could as well be {rivals[0]['words']}{more}."
    return out


def _within_error(a: dict, b: dict) -> bool:
    return a["qalys"] - b["qalys"] <= 2 * float(np.hypot(a["standard_error"], b["standard_error"]))


def _words(study: Study, tables: dict, settings: dict) -> list[str]:
    lines, information = tables["lines"], tables["information"]
    sure = [r for r in lines if r["share_in"] is not None and r["share_in"] >= ROBUST]
    out = [f"{len(sure)} lines are on the list in at least {ROBUST:.0%} of {settings['draws']:,} draws.",
           f"{compared_words(settings)}the plan beats {settings['reference']} in {settings['beats_reference_health']:.0%} of the "
           f"draws in health, and in {settings['beats_reference']:.0%} once its cost is counted at "
           f"{money(study.problem.threshold)} per healthy year."]
    out[1] = out[1][0].upper() + out[1][1:]
    shaky = [r for r in lines if r["in_plan"] and r["share_in"] is not None and r["share_in"] < ROBUST]
    if shaky:
        said = [f"{study.said((r['region'], r['indication_id'] + '/' + r['biomarker_id']))} ({r['share_in']:.0%})" for r in shaky]
        out.append(f"On the list, but not surely: {', '.join(said[:4])}.")
    best = max(tables["candidates"], key=lambda r: r["net_health"])
    plan = next(r for r in tables["candidates"] if r["list"] == "the plan")
    if best["list"] != "the plan" and best["net_health"] > plan["net_health"] + 1e-6:
        out.append(f"By net health at that value another list does better ('{best['list']}', {len(best['holds'])} lines): "
                   f"{figure(best['net_health'])} healthy years net of what the money would bring elsewhere, against "
                   f"{figure(plan['net_health'])}.")
    out.append(_measure(information, settings["draws"]))
    return out
