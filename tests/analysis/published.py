"""Published examples of other packages: inputs, printed results, and what this planner makes of them.

Numbers are facts and are carried over; no code or data set is. Figures that need a package's whole set of
draws (BCEA's vaccine model, dampack's example) are left out. :func:`figures` is what docs/validation.md prints.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from planner.analysis import voi
from planner.analysis.dominance import Ladder, ladder
from planner.optimise.resolve import Engine
from tests.analysis.knapsack import knapsack
from tests.tiny import tiny_scenario

NORMAL = NormalDist()


@dataclass(frozen=True)
class Figure:
    """One printed figure and ours. ``within``: how far they may be apart; None: half a unit of the last
    printed digit. ``error``: why, where it is not the printed digits."""

    example: str
    what: str
    theirs: str
    ours: float
    within: float | None = None
    error: str = ""

    @property
    def tolerance(self) -> float:
        if self.within is not None:
            return self.within
        decimals = len(self.theirs.partition(".")[2])
        return 0.5 * 10.0**-decimals * (1 + 1e-6)


SOURCES = {
    "HIV screening": "dampack 1.0.2.1000, basic_cea; Paltiel et al. 2006, Ann Intern Med 145:797",
    "C. difficile": "dampack 1.0.2.1000, cdiff_icers; Rajasingham et al. 2020, Clin Infect Dis 70:754",
    "VA course": "dampack 1.0.2.1000, test_calculate_icers; VA Health Economics Resource Center",
    "smoking cessation": "BCEA 2.4.84, ceef; Baio 2012",
    "colorectal screening": "ANZ Health Policy 2005;2:10, table 7",
    "influenza vaccine": "BCEA 2.4.84, ce_table; Baio & Dawid 2011 (means alone)",
    "two normal options": "voi 1.0.3, overview vignette",
    "three linear options": "evpi / py_evpi 1.0.0, doi 10.5281/zenodo.10728646",
    "continuous knapsack": "Rosetta Code, Knapsack problem/Continuous",
    "textbook knapsack": "the common instance 60/10, 100/20, 120/30",
    "Uganda benefits package": "Mohan et al. 2023, Health Economics 32:1244, scenarios 3 and 4 (one budget row)",
}

# -- strategies: name -> (cost, effect) ------------------------------------------------------------------

HIV = {"status quo": (26000, 277.25 / 12), "one time": (27000, 277.57 / 12), "5yr": (28020, 277.78 / 12),
       "3yr": (28440, 277.83 / 12), "annual": (29440, 277.76 / 12)}
HIV_PRINTED = {"one time": ("1000", "0.026666667", "37500.00"), "5yr": ("1020", "0.017500000", "58285.71"),
               "3yr": ("420", "0.004166667", "100800.00")}
CDIFF = {
    "s3": (57336.0059896538, 12.9399639202408), "s27": (57541.2526373815, 13.0140640696275),
    "s33": (57642.2587507842, 13.0389116321918), "s31": (57934.0743411241, 13.0966257932217),
    "s43": (58072.1137208494, 13.11285766912), "s44": (58665.7823044647, 13.1283328397025),
    "s39": (57814.6470919581, 13.0462790163185), "s4": (57887.481549326, 12.9970657153765),
    "s13": (58018.6252420203, 13.0650412387992), "s37": (58081.7947984323, 13.1029711156978),
    "s20": (58634.2026441398, 13.1100568867995)}
CDIFF_PRINTED = {  # added cost, added effect, ICER
    "s27": (205.246647727639, 0.0741001493866911, 2769.85470915263),
    "s33": (101.006113402713, 0.0248475625643216, 4065.03105249231),
    "s31": (291.815590339931, 0.0577141610298533, 5056.2216470406),
    "s43": (138.039379725262, 0.0162318758983169, 8504.2160616553),
    "s44": (593.668583615326, 0.0154751705825014, 38362.6519947134)}
VA = {"E": (55000, 5), "D": (35000, 4), "C": (25000, 3), "B": (10000, 2), "A": (12000, 1.5), "UC": (5000, 1)}
EQUAL_EFFECT = {"No Treat": (163771.0, 6.48273), "Treat all": (164848.7, 6.52861), "Test & treat": (163765.1, 6.52861)}
SMOKING = {"No intervention": (0.0, 0.41050676976467787), "Self-help": (45.73316058191909, 0.6987463455576992),
           "Individual counselling": (94.91903544242075, 0.8953644523914841),
           "Group counselling": (143.30075545759846, 1.133026582306337)}
COLORECTAL = {"Existing practice": (0, 0), "FOBT2": (140117791, 3551), "DCBE5": (248112291, 6023), "DCBE3": (304301903, 6720),
              "FOBT1+DCBE5": (370181240, 7076), "FOBT1+DCBE3": (422777702, 7299)}
COLORECTAL_PRINTED = {"FOBT2": ("39459", "39459"), "DCBE5": ("43687", "41194"), "DCBE3": ("80616", "45283"),
                      "FOBT1+DCBE5": ("185054", "52315"), "FOBT1+DCBE3": ("235859", "57923")}
VACCINE = {"status quo": (9.655464, -0.001055946), "vaccination": (14.691446, -0.000805370)}
# heemod 1.1.0, test_efficiency_frontier: cost, effect, members of the frontier (counted from 1)
HEEMOD = (
    ((14807, 26041, 49706, 64266, 40022, 57392, 91744, 54651),
     (9.635, 10.2497, 11.1654, 11.5152, 11.582, 11.6248, 11.6296, 11.6588), {1, 5, 8}),
    ((26041, 14807, 49706, 64266, 40022), (9.13, 9.635, 11.1654, 11.5152, 11.582), {2, 5}),
    ((25000, 35000, 50000, 54651, 64266, 91744), (10.2497, 11.1654, 11.3, 11.6588, 11.7, 12.1), {1, 2, 4, 6}),
    ((26041, 49706, 64266, 57392, 91744, 54651), (10.2497, 11.1654, 11.5152, 11.6248, 11.6296, 11.6296), {1, 6}),
    ((26041, 42000, 54651, 60000, 76000), (10.2497, 11.1654, 11.6296, 11.7, 11.8), {1, 2, 3, 4, 5}),
    ((25000, 35000, 50000, 54651, 58500, 64266, 91744), (10.2497, 10.2497, 11.3, 11.6588, 11.6588, 11.7, 12.1), {1, 4, 7}),
    ((25000, 25000, 50000, 58500, 58500, 64266, 91744), (10.2497, 10.25, 11.3, 11.6588, 11.6588, 11.7, 12.1), {2, 4, 5, 7}),
    ((26041, 42000), (10.2497, 11.1654), {1, 2}),
    ((26041, 21000), (10.2497, 11.1654), {2}),
    ((26041, 21000, 19000), (10.2497, 11.1654, 11.5), {3}),
    ((26041, 27000, 19000), (10.2497, 11.1654, 11.5), {3}),
    ((26041,), (10.2497,), {1}),
    ((15, 10, 15), (12, 12, 15), {2, 3}),
)


def of(strategies: dict[str, tuple[float, float]], *names: str) -> Ladder:
    chosen = names or tuple(strategies)
    return ladder(chosen, [strategies[n][0] for n in chosen], [strategies[n][1] for n in chosen])


def _strategies() -> list[Figure]:
    out = []
    for name, printed in HIV_PRINTED.items():
        row = of(HIV).row(name)
        out += [Figure("HIV screening", f"{word}, {name}", text, value) for word, text, value in zip(
            ("added cost", "added QALYs", "ICER"), printed, (row.added_cost, row.added_effect, row.icer))]
    for name, printed in CDIFF_PRINTED.items():
        row = of(CDIFF).row(name)
        out += [Figure("C. difficile", f"{word}, {name}", f"{text!r}", value, 1e-9 * text, "15 digits in, differences out")
                for word, text, value in zip(("added cost", "added QALYs", "ICER"), printed,
                                             (row.added_cost, row.added_effect, row.icer))]
    out += [Figure("VA course", f"ICER, {n}", text, of(VA).row(n).icer, 1e-9)
            for n, text in (("B", "5000"), ("D", "12500"), ("E", "20000"))]
    smoking, pair = of(SMOKING), of(SMOKING, "No intervention", "Individual counselling", "Group counselling")
    origin = smoking.row("No intervention")
    for name, effect, cost, slope in (("Self-help", "0.28824", "45.733", "158.66"),
                                      ("Group counselling", "0.72252", "143.301", "224.67")):
        row = smoking.row(name)
        out += [Figure("smoking cessation", f"effect to none, {name}", effect, row.effect - origin.effect),
                Figure("smoking cessation", f"cost to none, {name}", cost, row.cost - origin.cost),
                Figure("smoking cessation", f"ICER, {name}", slope, row.icer)]
    out += [Figure("smoking cessation", f"ICER to none, {n}", text, smoking.row(n).icer_to_reference)
            for n, text in (("Self-help", "159"), ("Individual counselling", "196"), ("Group counselling", "198"))]
    out += [Figure("smoking cessation", f"ICER without Self-help, {n}", text, pair.row(n).icer)
            for n, text in (("Individual counselling", "195.77"), ("Group counselling", "203.57"))]
    out += [Figure("smoking cessation", f"first whole threshold, {n}", text, float(first_whole(smoking, n)), 0.0)
            for n, text in (("Self-help", "159"), ("Group counselling", "225"))]
    for name, (icer, average) in COLORECTAL_PRINTED.items():
        row = of(COLORECTAL).row(name)
        out += [Figure("colorectal screening", f"ICER, {name}", icer, row.icer),
                Figure("colorectal screening", f"ratio to none, {name}", average, row.icer_to_reference)]
    row = of(VACCINE).row("vaccination")
    out += [Figure("influenza vaccine", "added cost", "5.035983", row.added_cost, 1.1e-6, "six printed digits in"),
            Figure("influenza vaccine", "ICER", "20097.59", row.icer, 20097.59 * (2e-9 / 2.5e-4), "nine printed digits in")]
    return out


def first_whole(of_: Ladder, name: str) -> int:
    """The smallest whole threshold up to 500 at which a strategy is the best."""
    return next(k for k in range(501) if of_.best(k) == name)


# -- value of information ----------------------------------------------------------------------------------

def r_normals(seed: int, n: int) -> np.ndarray:
    """What R's set.seed(seed); rnorm(n) gives: Mersenne Twister by inversion of two draws for each number."""
    x = seed & 0xFFFFFFFF
    key = []
    for k in range(50 + 625):
        x = (69069 * x + 1) & 0xFFFFFFFF
        if k > 50:
            key.append(x)
    state = np.random.RandomState()
    state.set_state(("MT19937", np.array(key, np.uint32), 624))
    u = np.frombuffer(state.bytes(8 * n), "<u4").astype(float) * 2.3283064365386963e-10
    tiny = 0.5 * 2.328306437080797e-10
    u = np.clip(u, tiny, 1 - tiny).reshape(n, 2)
    return np.array([NORMAL.inv_cdf(v) for v in (np.floor(134217728 * u[:, 0]) + u[:, 1]) / 134217728])


def better_of_two(mean: float, sd: float) -> float:
    """Mean of the better of 0 and a normal number, less the better of 0 and its mean."""
    return mean * NORMAL.cdf(mean / sd) + sd * NORMAL.pdf(mean / sd) - max(mean, 0.0)


def best_of_lines(intercept: np.ndarray, slope: np.ndarray) -> float:
    """Mean of the greatest of several lines in one standard normal number, less the greatest intercept."""
    cuts = sorted({-(a - b) / (s - t) for a, s in zip(intercept, slope) for b, t in zip(intercept, slope) if s != t})
    ends = [-math.inf, *cuts, math.inf]
    total = 0.0
    for low, high in zip(ends, ends[1:]):
        middle = high - 1 if low == -math.inf else low + 1 if high == math.inf else (low + high) / 2
        j = int((intercept + slope * middle).argmax())
        total += intercept[j] * (NORMAL.cdf(high) - NORMAL.cdf(low)) + slope[j] * (_pdf(low) - _pdf(high))
    return total - float(intercept.max())


def _pdf(x: float) -> float:
    return 0.0 if math.isinf(x) else NORMAL.pdf(x)


@lru_cache(maxsize=1)
def two_options() -> tuple[np.ndarray, np.ndarray]:
    """The vignette's own draws of (p1, p2)."""
    z = r_normals(1, 20_000)
    return 1 + z[:10_000], 2 * z[10_000:]


def two_nets(k: int) -> np.ndarray:
    p1, p2 = two_options()
    return np.column_stack([np.zeros(len(p1)), k * p1 - p2])


LINES = np.array([[-2.0, 3, 0], [5, -4, 0], [0, -3, 2]])
MEANS, SPREADS = np.array([4.0, 3, 6]), np.array([8.0, 2, 15])
LINEAR_DRAWS = 100_000
# standard deviation of the estimate over seeds with that many draws, measured
LINEAR_SD = (0.096, 0.082, 0.078)


@lru_cache(maxsize=1)
def three_options() -> tuple[np.ndarray, np.ndarray]:
    """(net benefits, parameters) of the three linear options."""
    x = np.random.default_rng(1).normal(MEANS, SPREADS, (LINEAR_DRAWS, 3))
    return x @ LINES.T, x


def _information() -> list[Figure]:
    p1, p2 = two_options()
    out = [Figure("two normal options", f"EVPI of their draws, k = {k}", text, voi.evpi(two_nets(k)))
           for k, text in ((1, "0.4759885"), (2, "0.4028003"), (3, "0.4174207"))]
    spline = "a smooth curve there, a bent line here, on the same draws"
    out += [Figure("two normal options", f"EVPPI of p1, k = {k}", text, voi.evppi(two_nets(k), p1[:, None]), 0.006, spline)
            for k, text in ((1, "0.08210074"), (2, "0.17052564"), (3, "0.25895085"))]
    out += [Figure("two normal options", "EVPPI of p2, k = 1", "0.39029827", voi.evppi(two_nets(1), p2[:, None]), 0.006, spline)]
    out += [Figure("two normal options", f"EVPPI of both, k = {k}", text, voi.evppi(two_nets(k), np.column_stack([p1, p2])),
                   1e-3, "linear in both: the regression is exact but for the drawing in")
            for k, text in ((1, "0.47598851"), (2, "0.40280031"), (3, "0.41742073"))]
    net, x = three_options()
    for j, (text, sd) in enumerate(zip(("19.0150780", "2.7691518", "9.63411"), LINEAR_SD)):
        out.append(Figure("three linear options", f"EVPPI of x{j + 1}", text, voi.evppi(net, x[:, [j]]), 4 * sd,
                          f"Monte Carlo: four standard deviations, {LINEAR_DRAWS:,} draws"))
    return out


# -- budgets ---------------------------------------------------------------------------------------------

ROSETTA = {"beef": (3.8, 36), "pork": (5.4, 43), "ham": (3.6, 90), "greaves": (2.4, 45), "flitch": (4.0, 30),
           "brawn": (2.5, 56), "welt": (3.7, 67), "salami": (3.0, 95), "sausage": (5.9, 98)}
TEXTBOOK = {"one": (10, 60), "two": (20, 100), "three": (30, 120)}
# (money for consumables, net DALYs averted at 161 USD) of what scenario 3 covers: the 75 interventions that
# scenario 4 covers in full, added up, and the four at its margin by number
UGANDA = {"75 others": (286323057.0484089, 32075331.02580917), "218": (97101342.25870004, 11268.084986005122),
          "059": (5804364.628721188, 502.65186877657317), "350": (3439741.664165505, 11.946175262651765),
          "186": (756075.0738151915, 0.02948488634923249)}
UGANDA_BUDGET = 374_300_000


def spent(items: dict[str, tuple[float, float]], budget: float) -> tuple[float, dict[str, float]]:
    """(value, share of each item) of the planner's plan for a knapsack of that size."""
    engine = Engine(knapsack(items), tiny_scenario(coverage={"maximum": 1.0}, budget={"testing": budget}))
    best = engine.optimum()
    return best.value, {u.partition("/")[0]: float(c) for (_, u), c in zip(engine.keys, engine.coverage(best.plan.values))}


def _budgets() -> list[Figure]:
    value, taken = spent(ROSETTA, 15.0)
    out = [Figure("continuous knapsack", "value of 15 kg", "349.38", value),
           Figure("continuous knapsack", "kg of welt in 15 kg", "3.50", 3.7 * taken["welt"]),
           Figure("continuous knapsack", "value of 100 kg", "560.00", spent(ROSETTA, 100.0)[0])]
    sweep = Engine(knapsack(ROSETTA), tiny_scenario(coverage={"maximum": 1.0})).sweep("testing")
    out.append(Figure("continuous knapsack", "kg of all", "34.30", sweep.points[-1].budget))
    out.append(Figure("textbook knapsack", "value of 50", "240", spent(TEXTBOOK, 50.0)[0], 1e-6))
    value, taken = spent(UGANDA, UGANDA_BUDGET)
    out += [Figure("Uganda benefits package", "net DALYs averted, 374.3 million USD", "32085540", value),
            Figure("Uganda benefits package", "coverage of intervention 218", "0.906032202080622", taken["218"], 1e-8,
                   "of equal plans the cheapest: one part in 10^12 of all health may go")]
    return out


@lru_cache(maxsize=1)
def figures() -> tuple[Figure, ...]:
    """Every figure compared, in the order of :data:`SOURCES`."""
    found = [*_strategies(), *_information(), *_budgets()]
    return tuple(sorted(found, key=lambda f: list(SOURCES).index(f.example)))
