"""Value of information over a finite set of lists: EVPI, and EVPPI by regression.

EVPI is the mean of the best less the best of the means (Raiffa & Schlaifer 1961). EVPPI regresses the
incremental net benefit of each list on the parameters that could be learnt; the fitted values stand for the
conditional expectations (Strong, Oakley & Brennan 2014, Medical Decision Making 34:311). They are straight
between quantiles of each parameter: gains have kinks, where use reaches what access allows, and powers run
away from them. A regression fits noise as well, and the best of several fits looks better than it is:
parameters are let in by a test that counts how many were tried, what many weak ones do together is predicted
for draws that had no part in the fit, and fitted values spread no wider than the adjusted R2 allows. The
Monte Carlo error of all of them is that of the bootstrap over draws (Efron 1979).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np

LEAST_DRAWS = 200  # below, a regression says nothing
MOST_REGRESSORS = 12
DRAWS_EACH = 50  # draws for each of them
KNOTS = 7  # places at which a fitted line may bend
CROSSED = 4  # regressors whose products are regressors too
FALSE_ALARM = 0.05  # chance that any parameter without bearing is let in
FOLDS = 10
RESAMPLED = 40  # bootstrap samples, and of at most so many draws
MOST_RESAMPLED = 2000


def evpi(net: np.ndarray) -> float:
    """Expected value of perfect information. net: draws x lists, in the unit of the result."""
    return float(net.max(axis=1).mean() - net.mean(axis=0).max())


def expected_loss(net: np.ndarray) -> np.ndarray:
    """Mean loss of each list against the best of each draw."""
    return (net.max(axis=1, keepdims=True) - net).mean(axis=0)


def evppi(net: np.ndarray, parameters: np.ndarray, tried: int = 0) -> float:
    """Expected value of knowing some parameters. net: draws x lists; parameters: draws x parameters.

    tried: from how many parameters these were picked, where they were picked for their bearing. Never below
    zero, and never above the EVPI by more than the error of the regression; callers cut it.
    """
    x = _standard(parameters)
    gains = net - net[:, [int(net.mean(axis=0).argmax())]]
    spread = gains.std(axis=0)
    moving = spread > 1e-12 * max(1.0, float(np.abs(net).max()))
    if x.shape[1] == 0 or not moving.any():
        return 0.0
    scaled = (gains[:, moving] - gains[:, moving].mean(axis=0)) / spread[moving]
    strong = _relevant(x, scaled, max(tried, x.shape[1]))
    weak = np.setdiff1d(np.arange(x.shape[1]), strong)
    together = _together(x[:, weak], scaled) if len(weak) > 1 else np.zeros_like(scaled)
    fitted = np.zeros_like(net, dtype=float)
    fitted[:, moving] = gains[:, moving].mean(axis=0) + spread[moving] * _fit(_basis(x[:, strong]), together, scaled)
    return max(0.0, float(fitted.max(axis=1).mean() - fitted.mean(axis=0).max()))


def above_chance(net: np.ndarray, parameters: np.ndarray, rounds: int = 8) -> tuple[float, float]:
    """(EVPPI less what the same regression finds in shuffled parameters, standard error of the latter's mean).

    A regression finds some value in noise; shuffled draws, which know nothing, show how much. Seeded.
    """
    rng = np.random.Generator(np.random.PCG64(len(net)))
    chance = [evppi(net, parameters[rng.permutation(len(net))]) for _ in range(rounds)]
    return max(0.0, evppi(net, parameters) - float(np.mean(chance))), float(np.std(chance, ddof=1) / np.sqrt(rounds))


def standard_error(statistic: Callable[..., float], *drawn: np.ndarray, rounds: int = RESAMPLED) -> float:
    """Bootstrap standard error of a statistic of draws (the first axis of each array, resampled together). Of
    very many draws fewer are resampled: errors shrink with the root of the number. Seeded."""
    n = len(drawn[0])
    size = min(n, MOST_RESAMPLED)
    rng = np.random.Generator(np.random.PCG64(n))
    picks = (rng.integers(0, n, size) for _ in range(rounds))
    found = [statistic(*(a[pick] for a in drawn)) for pick in picks]
    return float(np.std(found, ddof=1) * np.sqrt(size / n))


def _standard(x: np.ndarray) -> np.ndarray:
    """Columns to mean 0 and standard deviation 1; constant ones are dropped."""
    spread = x.std(axis=0)
    return (x[:, spread > 1e-15] - x[:, spread > 1e-15].mean(axis=0)) / spread[spread > 1e-15]


def strength(x: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Greatest correlation of each parameter, or of its square beyond the straight line, with any list's
    gain. Both standardised; the square finds what matters at both ends alike."""
    bent = x**2 - 1 - x * (x**3).mean(axis=0)
    spread = bent.std(axis=0)
    bent = np.divide(bent - bent.mean(axis=0), spread, out=np.zeros_like(bent), where=spread > 1e-9)
    return np.maximum(np.abs(x.T @ gains), np.abs(bent.T @ gains)).max(axis=1) / len(x)


def _relevant(x: np.ndarray, gains: np.ndarray, tried: int) -> np.ndarray:
    """The regressors that move some list's gain most, none of them by chance alone."""
    found = strength(x, gains)
    chance = NormalDist().inv_cdf(1 - FALSE_ALARM / (4 * gains.shape[1] * tried)) / np.sqrt(len(x))
    order = np.argsort(-found, kind="stable")
    most = min(MOST_REGRESSORS, max(1, len(x) // DRAWS_EACH))
    return np.array([j for j in order[:most] if found[j] > chance], int)


def _together(x: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """What parameters do together, as the sum of what each does alone: for each tenth of the draws by the
    correlations in the others, so that it predicts and does not repeat. Draws x lists, standardised; 0 for
    a list of which it says nothing."""
    fold = np.arange(len(x)) % FOLDS
    every = x.T @ gains
    out = np.empty_like(gains)
    for k in range(FOLDS):
        mine = fold == k
        out[mine] = x[mine] @ (every - x[mine].T @ gains[mine])
    out -= out.mean(axis=0)
    spread = out.std(axis=0)
    chance = NormalDist().inv_cdf(1 - FALSE_ALARM / gains.shape[1]) / np.sqrt(len(x))
    seen = (out * gains).mean(axis=0) > chance * spread
    return np.where(seen, np.divide(out, spread, out=np.zeros_like(out), where=spread > 0), 0.0)


def _basis(x: np.ndarray) -> np.ndarray:
    """Constant, each regressor with its bends, and the products of the strongest."""
    parts = [np.ones(len(x))] + [part for column in x.T for part in _bent(column)]
    few = min(CROSSED, x.shape[1])
    parts += [x[:, a] * x[:, b] for a in range(few) for b in range(a + 1, few)]
    return np.column_stack(parts)


def _bent(x: np.ndarray) -> list[np.ndarray]:
    """A straight line and its bends at quantiles."""
    knots = np.quantile(x, np.arange(1, KNOTS + 1) / (KNOTS + 1))
    return [x, *(np.maximum(0.0, x - knot) for knot in knots)]


def _fit(basis: np.ndarray, together: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Fitted values of standardised gains on the basis and, list by list, on what the weak do together; drawn
    in to the spread that the adjusted R2 leaves them."""
    both = np.column_stack([gains, together])
    basis = _upright(basis)
    fitted = basis @ (basis.T @ both) / len(gains)
    left = both - fitted
    lists, n = gains.shape[1], len(gains)
    beyond = left[:, lists:]
    size = (beyond**2).sum(axis=0)
    slope = np.divide((beyond * left[:, :lists]).sum(axis=0), size, out=np.zeros(lists), where=size > 1e-9 * n)
    fitted = fitted[:, :lists] + np.maximum(slope, 0.0) * beyond
    k = basis.shape[1] + (slope > 0)
    share = fitted.var(axis=0)
    honest = 1 - (1 - np.minimum(share, 1.0)) * (n - 1) / np.maximum(n - k, 1)
    return fitted * np.sqrt(np.divide(np.maximum(honest, 0.0), share, out=np.zeros(lists), where=share > 1e-12))


def _upright(basis: np.ndarray) -> np.ndarray:
    """The same space with independent columns of mean square 1."""
    basis = basis / np.maximum(np.sqrt((basis**2).mean(axis=0)), 1e-300)
    size, turn = np.linalg.eigh(basis.T @ basis / len(basis))
    kept = size > 1e-10 * size[-1]
    return basis @ (turn[:, kept] / np.sqrt(size[kept]))


def acceptability(health: np.ndarray, cost: np.ndarray, thresholds: Sequence[float]) -> np.ndarray:
    """Probability that each list has the highest net benefit, by threshold (thresholds x lists)."""
    out = np.zeros((len(thresholds), health.shape[1]))
    for n, value in enumerate(thresholds):
        best = (health * value - cost).argmax(axis=1)
        out[n] = np.bincount(best, minlength=health.shape[1]) / len(best)
    return out
