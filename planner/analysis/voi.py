"""Value of information over a finite set of lists: EVPI, and EVPPI by regression.

EVPI is the mean of the best less the best of the means (Raiffa & Schlaifer 1961). EVPPI regresses the
incremental net benefit of each list on the parameters that could be learnt; the fitted values stand for the
conditional expectations (Strong, Oakley & Brennan 2014, Medical Decision Making 34:311).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEAST_DRAWS = 200  # below, a regression says nothing
MOST_REGRESSORS = 12
CROSSED = 4  # regressors whose products are regressors too


def evpi(net: np.ndarray) -> float:
    """Expected value of perfect information. net: draws x lists, in the unit of the result."""
    return float(net.max(axis=1).mean() - net.mean(axis=0).max())


def expected_loss(net: np.ndarray) -> np.ndarray:
    """Mean loss of each list against the best of each draw."""
    return (net.max(axis=1, keepdims=True) - net).mean(axis=0)


def evppi(net: np.ndarray, parameters: np.ndarray) -> float:
    """Expected value of knowing some parameters. net: draws x lists; parameters: draws x parameters.

    Never below zero, and never above the EVPI by more than the error of the regression; callers cut it.
    """
    x = _standard(parameters)
    if x.shape[1] == 0:
        return 0.0
    gains = net - net[:, [int(net.mean(axis=0).argmax())]]
    x = x[:, _relevant(x, gains)]
    if x.shape[1] == 0:
        return 0.0
    basis = _basis(x)
    weights, *_ = np.linalg.lstsq(basis, gains, rcond=None)
    fitted = basis @ weights
    return max(0.0, float(fitted.max(axis=1).mean() - fitted.mean(axis=0).max()))


def _standard(x: np.ndarray) -> np.ndarray:
    """Columns to mean 0 and standard deviation 1; constant ones are dropped."""
    spread = x.std(axis=0)
    return (x[:, spread > 1e-15] - x[:, spread > 1e-15].mean(axis=0)) / spread[spread > 1e-15]


def _relevant(x: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """The regressors that move some list's gain most, none of them by chance alone (|t| above 3)."""
    spread = gains.std(axis=0)
    gains = (gains[:, spread > 1e-12] - gains[:, spread > 1e-12].mean(axis=0)) / spread[spread > 1e-12]
    if gains.shape[1] == 0:
        return np.empty(0, int)
    strength = np.abs(x.T @ gains / len(x)).max(axis=1)
    order = np.argsort(-strength, kind="stable")
    chance = 3 / np.sqrt(len(x))
    return np.array([j for j in order[:MOST_REGRESSORS] if strength[j] > chance], int)


def _basis(x: np.ndarray) -> np.ndarray:
    """Constant, powers up to three, and the products of the strongest."""
    parts: list[np.ndarray] = [np.ones(len(x)), *x.T, *(x**2).T, *(x**3).T]
    few = min(CROSSED, x.shape[1])
    parts += [x[:, a] * x[:, b] for a in range(few) for b in range(a + 1, few)]
    return np.column_stack(parts)


def acceptability(health: np.ndarray, cost: np.ndarray, thresholds: Sequence[float]) -> np.ndarray:
    """Probability that each list has the highest net benefit, by threshold (thresholds x lists)."""
    out = np.zeros((len(thresholds), health.shape[1]))
    for n, value in enumerate(thresholds):
        best = (health * value - cost).argmax(axis=1)
        out[n] = np.bincount(best, minlength=health.shape[1]) / len(best)
    return out
