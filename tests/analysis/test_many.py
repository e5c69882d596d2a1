"""Many versions on one loaded model: each is what a model of its own says, whoever computes it, every time."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import planner
from planner.analysis.draws import run
from planner.analysis.levers import opened, pull
from planner.analysis.study import Stopped, Study, silent
from planner.analysis.uncertainty import candidates, uncertainty
from planner.errors import SolverFailure
from planner.optimise.many import ManyModels
from planner.optimise.resolve import Engine
from planner.pathway.build import build_problem
from planner.pathway.drawn import DrawnValues, Positive, Share, stream, value_gated
from planner.scenario.model import Scenario
from tests.analysis.plain import OneDraw, fresh, varied, version
from tests.tiny import tiny_problem, tiny_scenario, under

SIZE = 12
TINY = {
    "free": {},
    "testing": {"budget": {"testing": 120_000}},
    "treatment, savings lost": {"budget": {"treatment": 900_000}},
    "treatment, savings spent again": {"budget": {"treatment": 900_000, "savings_cashable": True}},
    "additional": {"budget": {"treatment": 400_000, "basis": "additional"}},
    "total, all payers": {"budget": {"total": 3_000_000, "payers": ["public", "insurer", "donor", "household"]}},
    "bought": {"budget": {"total": 2_000_000}, "access": {"buy": ["drug_e", "drug_b"]}},
    "selective": {"budget": {"testing": 120_000}, "access": {"mode": "selective"}},
    "selective, bought": {"budget": {"total": 2_500_000}, "access": {"mode": "selective", "buy": ["drug_e"]}},
    "people": {"laboratory": {"technician_minutes": 60_000, "pathologist_minutes": 15_000}},
    "mandate": {"budget": {"testing": 120_000}, "policy": {"must_fund": ["lung/alk"]}},
    "years": {"years": 3, "budget": {"testing": [40_000, 90_000, 200_000], "treatment": 1_500_000},
              "coverage": {"maximum": 0.9, "ramp_per_year": 0.4}},
    "net health": {"objective": "net_health", "budget": {"testing": 120_000}},
}
KENYA = {
    "kenya": {},
    "treatment": {"budget": {"testing": 400_000, "treatment": 4_000_000}},
    "bought": {"budget": {"total": 12_000_000}, "access": {"buy": ["trastuzumab", "imatinib"], "ceiling": 0.8}},
    "selective": {"budget": {"testing": 400_000}, "access": {"mode": "selective"}},
    "years": {"years": 3, "budget": {"testing": 300_000, "treatment": 4_000_000}},
    "net health": {"objective": "net_health"},
}


@pytest.fixture(scope="module")
def evidence():
    return planner.load_evidence()


def kenya(**changes) -> Scenario:
    base = {"name": "kenya", "setting": {"country": "KEN"}, "budget": {"testing": 400_000}}
    return Scenario.model_validate(base | changes)


def same(engine: Engine, problem, size: int, scenario: Scenario, levers: bool = False, every: int = 1) -> None:
    """Every version's answer is that of a fresh model of its plain numbers."""
    models = ManyModels(engine, problem, size)
    for n in range(0, size, every):
        answer = models.solve(n)
        alone = fresh(version(problem, n), scenario, levers)
        if alone != alone:
            assert answer.value != answer.value, n
            continue
        assert answer.value == pytest.approx(alone, rel=1e-7, abs=1e-7), n


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("levers", [False, True])
def test_tiny_versions_equal_fresh_models(name, levers):
    scenario = tiny_scenario(**TINY[name])
    problem = under(tiny_problem(scenario.years), scenario)
    same(Engine(problem, scenario, levers), varied(problem, SIZE, 1), SIZE, scenario, levers)


@pytest.mark.parametrize("name", TINY)
def test_tiny_versions_with_access_moved(name):
    """Access of one line from nothing to everybody, with blind use recut, on a model with levers."""
    scenario = tiny_scenario(**TINY[name])
    problem = with_blind_use(under(tiny_problem(scenario.years), scenario))
    share = np.linspace(0, 1, 7)
    for key in (("XXX", "lung/egfr"), ("XXX", "breast/er"), ("XXX", "breast/her2")):
        moved = pull(problem, {key: {"access": share}})
        same(Engine(problem, scenario, True), moved, len(share), scenario, True)
        same(Engine(problem, scenario, True), moved, len(share), scenario, False)


def with_blind_use(problem):
    """Blind use kept beside what it is cut to, as the builder does."""
    return replace(problem, indications=tuple(replace(i, use_cases=tuple(replace(u, therapies=tuple(
        replace(t, blind=t.u0) for t in u.therapies)) for u in i.use_cases)) for i in problem.indications))


def test_people_with_a_fixed_supply():
    problem = tiny_problem()
    breast, lung = problem.indications
    er = replace(breast.use_cases[0], therapies=tuple(
        replace(t, courses=((t.therapy, 400.0),)) for t in breast.use_cases[0].therapies))
    problem = replace(problem, indications=(replace(breast, use_cases=(er, breast.use_cases[1])), lung))
    scenario = tiny_scenario()
    same(Engine(problem, scenario), varied(problem, SIZE, 4), SIZE, scenario)


def drawn(evidence, scenario, size, resolver=DrawnValues, block=0, seed=3, **more):
    decided = value_gated(build_problem(evidence, scenario))
    return build_problem(evidence, scenario, partial(resolver, seed=seed, block=block, size=size, decided=decided, **more))


@pytest.mark.parametrize("name", KENYA)
def test_kenya_draws_equal_fresh_models(evidence, name):
    scenario = kenya(**KENYA[name])
    engine = Engine(build_problem(evidence, scenario), scenario)
    same(engine, drawn(evidence, scenario, 6), 6, scenario, every=2)


def test_kenya_with_access_moved(evidence):
    scenario = kenya(budget={"testing": 400_000, "treatment": 4_000_000})
    engine = Engine(build_problem(evidence, scenario), scenario, levers=True)
    drugs = ("trastuzumab", "imatinib", "tamoxifen")
    masks = {d: np.array([0.0, *(float(d == other) for other in drugs), 1.0]) for d in drugs}
    same(engine, opened(engine.problem, masks), 5, scenario)


MONEY_OF_COURSES = {"m", "gross", "course_cost"}


def far_apart(evidence, columns) -> list[tuple]:
    """Numbers of draw n of an array build that are not those of a build from draw n alone."""
    scenario, out = kenya(), []
    many = replace(drawn(evidence, scenario, 5), facts=())
    for n in (0, 4):
        one = replace(drawn(evidence, scenario, 5, OneDraw, n=n), facts=()).frames()
        for name, frame in version(many, n).frames().items():
            for column in filter(columns, frame):
                a, b = frame[column], one[name][column]
                close = np.isclose(a, b, rtol=1e-12, atol=1e-14, equal_nan=True) if a.dtype.kind == "f" else \
                    a.map(str) == b.map(str)
                out += [(name, column, n, int(k)) for k in np.flatnonzero(~np.asarray(close))]
    return out


def test_built_arrays_are_scalar_builds(evidence):
    text = MONEY_OF_COURSES | {"pay", "reach", "courses", "derivation"}
    assert not far_apart(evidence, lambda c: c not in text)


def test_drawn_courses_cost_what_scalar_builds_say(evidence):
    assert not far_apart(evidence, MONEY_OF_COURSES.__contains__)


def test_versions_leave_the_engine_alone(evidence):
    study = Study(kenya(), evidence)
    before = study.optimum.plan.values.copy()
    models = ManyModels(study.engine, drawn(evidence, study.scenario, 4), 4)
    list(models.answers())
    assert np.array_equal(study.engine.optimum().plan.values, before)


def test_order_of_versions_does_not_matter(evidence):
    scenario = kenya()
    engine = Engine(build_problem(evidence, scenario), scenario)
    problem = drawn(evidence, scenario, 8)
    forth = [a.value for a in ManyModels(engine, problem, 8).answers()]
    models = ManyModels(engine, problem, 8)
    back = [models.solve(n).value for n in reversed(range(8))][::-1]
    assert back == pytest.approx(forth, rel=1e-9)


# -- draws against closed forms ----------------------------------------------------------------------------

@pytest.mark.parametrize(("distribution", "mean", "sd"), [
    (Share(0.3, 20), 0.3, (0.3 * 0.7 / 21) ** 0.5), (Share(0.02, 10), 0.02, (0.02 * 0.98 / 11) ** 0.5),
    (Positive(100.0, 0.3), 100 * np.exp(0.045), 100 * np.exp(0.045) * np.sqrt(np.expm1(0.09))),
])
def test_distributions_have_their_moments(distribution, mean, sd):
    """Beta: mean m, variance m (1 - m) / (n + 1); lognormal: mean exp(mu + s^2 / 2). Four standard errors;
    that of a standard deviation is sd sqrt((kurtosis - 1) / 4 n)."""
    n = 40_000
    x = distribution.draw(stream("test"), n)
    assert abs(x.mean() - mean) < 4 * sd / n**0.5
    kurtosis = ((x - mean) ** 4).mean() / sd**4
    assert abs(x.std() - sd) < 4 * sd * ((kurtosis - 1) / (4 * n)) ** 0.5
    for q in (0.025, 0.5, 0.975):
        below = (x < distribution.quantile(q)).mean()
        assert abs(below - q) < 4 * (q * (1 - q) / n) ** 0.5


def distances(evidence) -> dict[str, float]:
    """How many standard errors each parameter's mean over 2,000 draws lies from the evidence's value (of
    ratios: the median)."""
    kept = []

    def resolver(e, place, scenario):
        kept.append(DrawnValues(e, place, scenario, seed=5, block=0, size=2000, decided={}))
        return kept[-1]

    build_problem(evidence, kenya(), resolver)
    out = {}
    for p in kept[0].parameters.values():
        ratio = p.parameter.startswith("effect (") and p.parameter != "effect (factor)"
        middle, error = (np.median(p.draws), 1.2533) if ratio else (p.draws.mean(), 1.0)
        out[p.name] = abs(middle - p.value) / (error * p.draws.std() / 2000**0.5)
    return out


SHARED = "monitoring: infusion_month"


def test_means_of_draws_are_the_evidence_s_numbers(evidence):
    far = distances(evidence)
    del far[SHARED]
    assert max(far.values()) < 5  # about a thousand parameters
    assert np.mean(np.array(list(far.values())) < 1.96) > 0.92


def test_a_drawn_month_of_monitoring_stays_what_it_is(evidence):
    assert distances(evidence)[SHARED] < 5


def test_linear_outputs_have_the_mean_of_their_draws(evidence):
    """Eligible patients are a product of independent factors; work-ups are linear in costs."""
    scenario = kenya()
    plain, many = build_problem(evidence, scenario), drawn(evidence, scenario, 4000)
    for a, b in zip(plain.indications, many.indications, strict=True):
        if not isinstance(b.eligible, np.ndarray) or "stage_or_relapse" in dict(a.steps):
            continue
        if evidence.record("cancer_sites", cancer_site=a.cancer_site).get("parent_site"):
            continue  # cut to what the recorded cases of the parent leave: no product
        assert abs(b.eligible.mean() - a.eligible) < 5 * b.eligible.std() / 4000**0.5, a.indication
        assert abs(np.mean(b.workup_cost) - a.workup_cost) <= 5 * np.std(b.workup_cost) / 4000**0.5, a.indication


def test_testing_money_of_a_fixed_list_has_the_mean_of_its_draws(evidence):
    """Testing money is a sum of patients times costs, which are independent of each other: the mean over draws of a
    fixed list's is its money at the means. Tests whose pathway branches multiply results of one and the same test, and
    indications whose patients are not a product, are left out of the list."""
    scenario = kenya()
    study = Study(scenario, evidence)
    models = ManyModels(study.engine, drawn(evidence, scenario, 2000), 2000)
    fixed = np.zeros(len(study.engine.model.variables))
    kept = 0
    for k in study.engine.formulation.taken:
        if "stage_or_relapse" not in dict(k.indication.steps) and len(k.option.assays) == 1 and k.source.base == "none":
            fixed[study.engine.column(k.q)] = 0.1
            kept += 1
    money = fixed @ models.testing
    closed = float(study.engine.vector(study.engine.formulation.testing[0]) @ fixed)
    assert kept > 10
    assert abs(money.mean() - closed) < 4 * money.std() / 2000**0.5


# -- the same numbers, whoever computes them -------------------------------------------------------------------

DRAWS = 260  # two blocks


@pytest.fixture(scope="module")
def study(evidence):
    return Study(kenya(), evidence)


@pytest.fixture(scope="module")
def lists(study):
    return candidates(study)


@pytest.fixture(scope="module")
def alone(study, lists):
    return run(study, lists, DRAWS, 1, silent, workers=1)


def equal(a, b) -> None:
    for name in ("health", "cost", "coverage", "candidate_health", "candidate_cost", "candidate_share"):
        assert np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True), name
    assert [p.identity for p in a.parameters] == [p.identity for p in b.parameters]
    assert all(np.array_equal(p.draws, q.draws) for p, q in zip(a.parameters, b.parameters, strict=True))
    assert a.prices.keys() == b.prices.keys() and all(np.array_equal(a.prices[k], b.prices[k]) for k in a.prices)


@pytest.mark.parametrize("workers", [2, 4])
def test_same_numbers_for_any_number_of_workers(study, lists, alone, workers):
    equal(alone, run(study, lists, DRAWS, 1, silent, workers=workers))


@pytest.mark.filterwarnings("ignore")
def test_same_numbers_through_a_cluster(study, lists, alone):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as cluster:
        equal(alone, run(study, lists, DRAWS, 1, silent, scheduler=cluster.scheduler_address))


def test_more_draws_begin_with_the_same(study, lists, alone):
    """The first block is the first block, however many follow."""
    first = run(study, lists, 250, 1, silent, workers=1)
    assert np.array_equal(first.health, alone.health[:250])


def test_seeds_reproduce_bytes_and_differ(evidence):
    def text(seed):
        return json.dumps(uncertainty(kenya(), evidence, draws=20, seed=seed).to_dict())

    first = text(1)
    assert first == text(1)
    one, two = json.loads(first), json.loads(text(2))
    assert one["tables"]["outcomes"] != two["tables"]["outcomes"]


def test_a_stopped_run_leaves_the_study_usable(study, lists, alone):
    before = study.engine.optimum()
    calls = []

    def stop(share, words):
        calls.append(share)
        if len(calls) > 1:
            raise Stopped

    with pytest.raises(Stopped):
        run(study, lists, DRAWS, 1, stop, workers=2)
    after = study.engine.optimum()
    assert after.value == before.value and np.array_equal(after.plan.values, before.plan.values)
    equal(alone, run(study, lists, DRAWS, 1, silent, workers=2))


# -- what is nothing in the model and something in a version, and the reverse -------------------------------


def alk_blind(problem, share):
    """The tiny problem with another blind use of the drug of lung/alk."""
    breast, lung = problem.indications
    egfr, alk = lung.use_cases
    alk = replace(alk, therapies=(replace(alk.therapies[0], u0=share),))
    return replace(problem, indications=(breast, replace(lung, use_cases=(egfr, alk))))


MONEY = {"budget": {"treatment": 900_000, "savings_cashable": True}}
TODAY = "planner/optimise/many.py takes today's testing money from the evidence's own numbers; a fresh model costs today's " \
        "practice with the numbers of the draw (model.md, constraint 3)"

def test_blind_use_that_is_nothing_today_and_something_in_a_draw():
    scenario = tiny_scenario(**MONEY)
    same(Engine(tiny_problem(), scenario), alk_blind(tiny_problem(), np.array([0.0, 0.2])), 2, scenario)


def test_blind_use_that_is_something_today_and_nothing_in_all_versions():
    scenario = tiny_scenario(**MONEY)
    base = alk_blind(tiny_problem(), 0.2)
    same(Engine(base, scenario), alk_blind(base, np.zeros(2)), 2, scenario)


def test_a_saving_that_the_model_itself_cannot_have_is_refused():
    """Where savings are lost they are cut off by a variable that the model has only if it can save."""
    scenario = tiny_scenario(budget={"treatment": 900_000})
    with pytest.raises(SolverFailure):
        ManyModels(Engine(tiny_problem(), scenario), alk_blind(tiny_problem(), np.array([0.0, 0.2])), 2)


@pytest.mark.xfail(strict=True, reason=TODAY)
def test_money_additional_to_today_s_follows_the_draw():
    scenario = tiny_scenario(budget={"testing": 60_000, "basis": "additional"})
    problem = tiny_problem()
    breast, lung = problem.indications
    er = replace(breast.use_cases[0], kap0=0.3)
    problem = replace(problem, indications=(replace(breast, use_cases=(er, breast.use_cases[1])), lung))
    same(Engine(problem, scenario), varied(problem, SIZE, 2), SIZE, scenario)


def test_a_test_drawn_no_better_than_chance_does_not_supply():
    scenario = tiny_scenario()
    problem = tiny_problem()
    breast, lung = problem.indications
    coin = tuple(replace(s, results=tuple(replace(r, se=np.array([r.se, 0.4]), sp=np.array([r.sp, 0.5])) for r in s.results))
                 for s in lung.services)
    same(Engine(problem, scenario), replace(problem, indications=(breast, replace(lung, services=coin))), 2, scenario)
