"""Printed results of other packages, figure by figure, and closed forms of the value of information."""

from __future__ import annotations

import numpy as np
import pytest

from planner.analysis import voi
from tests.analysis.published import (
    LINEAR_SD,
    LINES,
    MEANS,
    NORMAL,
    SOURCES,
    SPREADS,
    best_of_lines,
    better_of_two,
    figures,
    r_normals,
    three_options,
    two_nets,
)


@pytest.mark.parametrize("figure", figures(), ids=lambda f: f"{f.example}: {f.what}")
def test_printed_figure(figure):
    assert abs(figure.ours - float(figure.theirs)) <= figure.tolerance, (figure.ours, figure.theirs)
    assert figure.example in SOURCES


def test_generator_is_r_s():
    """set.seed(1); rnorm(3)"""
    assert r_normals(1, 3) == pytest.approx([-0.6264538, 0.1836433, -0.8356286], abs=5e-8)


def test_closed_forms_are_the_printed_ones():
    """Exact EVPI of voi's vignette, and the EVPPIs that evpi's benchmark got by numerical integration."""
    assert better_of_two(1.0, 5**0.5) == pytest.approx(0.4798107, abs=5e-8)
    exact = [best_of_lines(LINES @ MEANS, LINES[:, j] * SPREADS[j]) for j in range(3)]
    assert exact == [pytest.approx(19.0150780, abs=5e-8), pytest.approx(2.7691518, abs=5e-8), pytest.approx(9.63411, abs=5e-6)]


def seeds(make, draws: int, repeats: int = 40) -> tuple[float, float]:
    """(mean, standard error) of an estimate over seeds."""
    found = [make(np.random.default_rng([draws, n]), draws) for n in range(repeats)]
    return float(np.mean(found)), float(np.std(found, ddof=1) / np.sqrt(repeats))


@pytest.mark.parametrize("draws", [250, 1000, 4000])
@pytest.mark.parametrize(("column", "exact"), [(0, better_of_two(1, 1)), (1, better_of_two(1, 2))])
def test_two_normal_options_without_bias(draws, column, exact):
    """Three standard errors over seeds, and for few draws what the drawing in of noise may cost."""
    def estimate(rng, n):
        p = np.column_stack([rng.normal(1, 1, n), rng.normal(0, 2, n)])
        return voi.evppi(np.column_stack([np.zeros(n), p[:, 0] - p[:, 1]]), p[:, [column]])

    mean, error = seeds(estimate, draws)
    assert abs(mean - exact) <= 3 * error + 4 / draws, (mean, exact, error)


@pytest.mark.parametrize("j", range(3))
def test_three_linear_options_without_bias(j):
    def estimate(rng, n):
        x = rng.normal(MEANS, SPREADS, (n, 3))
        return voi.evppi(x @ LINES.T, x[:, [j]])

    exact = best_of_lines(LINES @ MEANS, LINES[:, j] * SPREADS[j])
    mean, error = seeds(estimate, 1000)
    assert abs(mean - exact) <= 3 * error, (mean, exact, error)


def test_information_on_everything_is_perfect_information():
    net, x = three_options()
    assert voi.evppi(net, x) == pytest.approx(voi.evpi(net), rel=1e-3)
    assert voi.evpi(net) == pytest.approx(25.13, abs=4 * max(LINEAR_SD))  # by four million draws elsewhere


def test_an_effect_at_both_ends_is_seen():
    """Gain x^2 - 1 of a standard normal x has no linear part: the exact value is 2 phi(1) = 0.4839.
    A screen by correlation alone gave 0.06."""
    def estimate(rng, n):
        x = rng.standard_normal(n)
        return voi.evppi(np.column_stack([np.zeros(n), x**2 - 1 + 0.5 * rng.standard_normal(n)]), x[:, None])

    mean, error = seeds(estimate, 1000, 30)
    # the best of the means of two equal lists is above 0 by about 0.4 sd / sqrt(n) = 0.019: that much is lost
    assert 2 * NORMAL.pdf(1) - 0.03 - 3 * error <= mean <= 2 * NORMAL.pdf(1) + 3 * error


def test_a_kink_in_a_skewed_parameter_is_followed():
    """Gain = min(u, 0.08) - 0.05 of u ~ Beta(0.45, 4.05), as blind use that access caps: cubic fits gave half as
    much again as there is."""
    rng = np.random.default_rng(5)
    u = rng.beta(0.45, 4.05, 20_000)
    gain = np.minimum(u, 0.08) - 0.05
    exact = np.maximum(gain, 0).mean() - max(gain.mean(), 0)
    net = np.column_stack([np.zeros(len(u)), gain + 0.02 * rng.standard_normal(len(u))])
    assert voi.evppi(net, u[:, None]) == pytest.approx(exact, rel=0.03)


def test_many_weak_parameters_count_together():
    """Forty parameters of equal weight: 0.4 sqrt(40) 0.2 = 0.505. Twelve of them alone gave 0.30."""
    def estimate(rng, n):
        x = rng.standard_normal((n, 40))
        return voi.evppi(np.column_stack([np.zeros(n), 0.2 * x.sum(axis=1) + rng.standard_normal(n)]), x)

    exact = better_of_two(0, 0.2 * 40**0.5)
    assert 0.90 * exact <= seeds(estimate, 1000, 10)[0] <= 1.01 * exact
    assert 0.95 * exact <= seeds(estimate, 4000, 4)[0] <= 1.01 * exact


def without_bearing(draws: int, parameters: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(net benefits of six lists that are equally good, parameters that have no bearing on them)."""
    rng = np.random.default_rng([draws, seed])
    x = rng.standard_normal((draws, parameters))
    return rng.standard_normal((draws, 6)), x


@pytest.mark.parametrize(("draws", "most"), [(250, 0.09), (1000, 0.05)])
def test_what_has_no_bearing_is_worth_next_to_nothing(draws, most):
    """A thousand parameters without bearing on a close choice (EVPI 1.2), as a group: 0.49 and 0.25 before."""
    assert np.mean([voi.evppi(*without_bearing(draws, 1000, seed)) for seed in range(6)]) <= most


def test_the_best_of_many_parameters_is_seldom_a_false_alarm():
    """Of 300 parameters without bearing the strongest is let in for 5 % of seeds at most: of 40 seeds at most
    0.05 + 3 sqrt(0.05 x 0.95 / 40) = 15 %. Before, it was in 39 of these 40."""
    alarms = 0
    for seed in range(40):
        net, x = without_bearing(400, 300, seed)
        gains = net - net[:, [int(net.mean(axis=0).argmax())]]
        gains = gains[:, gains.std(axis=0) > 0]
        scaled = (gains - gains.mean(axis=0)) / gains.std(axis=0)
        first = int(voi.strength((x - x.mean(axis=0)) / x.std(axis=0), scaled).argmax())
        alarms += voi.evppi(net, x[:, [first]], tried=300) > 0
    assert alarms / 40 <= 0.05 + 3 * (0.05 * 0.95 / 40) ** 0.5


@pytest.mark.parametrize("draws", [500, 3000])  # of 3,000 fewer are resampled
@pytest.mark.parametrize("of", ["evpi", "evppi"])
def test_bootstrap_error_is_the_spread_over_seeds(draws, of):
    """The standard error told from one set of draws against what forty sets of them differ by: a standard
    deviation of forty has an error of 11 %, and the bootstrap's own mean is within a fifth."""
    def sample(n):
        p = np.random.default_rng([draws, n]).normal([1, 0], [1, 2], (draws, 2))
        net = np.column_stack([np.zeros(draws), p[:, 0] - p[:, 1]])
        return (voi.evpi, net) if of == "evpi" else (voi.evppi, net, p[:, [1]])

    sets = [sample(n) for n in range(40)]
    over_seeds = np.std([statistic(*drawn) for statistic, *drawn in sets], ddof=1)
    told = np.mean([voi.standard_error(*one) for one in sets[:10]])
    assert told == pytest.approx(over_seeds, rel=0.35)
    assert voi.standard_error(*sets[0]) == voi.standard_error(*sets[0])  # seeded


def test_nothing_to_learn():
    net = np.column_stack([np.zeros(300), np.random.default_rng(1).standard_normal(300)])
    assert voi.evppi(net, np.ones((300, 2))) == 0
    assert voi.evppi(np.zeros((300, 3)), net[:, [1]]) == 0
    assert voi.evppi(net + [10.0, 0.0], net[:, [1]]) <= 1e-6  # never changes the choice


def test_acceptability_and_loss_of_two_normal_options():
    """P(best) = Phi(1 / sqrt 5); loss of each = EVPI + what its mean lies below the best. Over 10,000 draws
    the share has a standard error of 0.005."""
    net = two_nets(1)
    chance = voi.acceptability(net, np.zeros_like(net), [1.0, 7.0])
    assert chance.shape == (2, 2)
    assert chance[0] == pytest.approx(chance[1])
    assert chance[0, 1] == pytest.approx(NORMAL.cdf(1 / 5**0.5), abs=3 * 0.005)
    assert chance.sum(axis=1) == pytest.approx([1, 1])
    assert voi.expected_loss(net) == pytest.approx(voi.evpi(net) + net.mean(axis=0).max() - net.mean(axis=0))


def test_small_tables_by_hand():
    """Five draws of two options: 117 with perfect information, 115 without. A project that gains 40 or loses 5
    at odds of 6 to 4: 2."""
    a = np.array([[100, 110], [150, 140], [120, 130], [80, 100], [90, 95.0]])
    assert voi.evpi(a) == 2
    assert list(voi.expected_loss(a)) == [9, 2]
    b = np.array([[40.0, 0]] * 6 + [[-5.0, 0]] * 4)
    assert voi.evpi(b) == pytest.approx(2)
    assert voi.expected_loss(b) == pytest.approx([2, 24])


def test_acceptability_moves_with_the_threshold():
    """Health 1 for 10 against nothing: worth it above 10 per unit, in every draw."""
    health, cost = np.array([[0.0, 1.0]] * 4), np.array([[0.0, 10.0]] * 4)
    assert voi.acceptability(health, cost, [5.0, 20.0]).tolist() == [[1, 0], [0, 1]]
