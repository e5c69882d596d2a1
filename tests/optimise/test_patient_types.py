"""The per-patient formulas against enumeration of patient types.

A patient is a carrier or not, has a usable result or not, is called positive or not, has access or
not, is fit or not, and would have got the drug blind or not. Health and money of a world with the
test minus a world without it, weighted by the probability of each type, must be what the linear
rows of the formulation say.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from planner.optimise.resolve import Engine
from planner.result.readout import read
from tests.tiny import indication, service, therapy, tiny_problem, tiny_scenario, under, use_case

ALPHA, FIT, PI, SE, SP, ETA, KAP, N = 0.5, 0.9, 0.2, 0.95, 0.9, 0.85, 0.9, 1000.0
H, HNEG, PAY = 1.3, -0.4, 7_000.0


def enumerate_types(u0: float, role: str) -> tuple[float, float, float]:
    """(health, money, people treated) gained by testing, per tested patient."""
    health = money = people = 0.0
    for carrier, usable, called, reach, fit in product((True, False), repeat=5):
        lab_positive_rate = SE if carrier else 1 - SP
        probability = (
            (PI if carrier else 1 - PI) * (ETA if usable else 1 - ETA)
            * (lab_positive_rate if called else 1 - lab_positive_rate)
            * (ALPHA if reach else 1 - ALPHA) * (FIT if fit else 1 - FIT)
        )
        gets = called if role == "selects" else not called
        benefits = carrier if role == "selects" else not carrier
        worth = H if benefits else HNEG
        # blind use is a share u0 of fit patients; those with access are alpha, so the chance that a
        # patient with access would have been given it blind is u0 / alpha
        blind = (u0 / ALPHA) if reach and fit else 0.0
        treated = 1.0 if (usable and gets and reach and fit) else 0.0
        without_result = blind if not usable else 0.0  # no result: reference care
        change = treated + without_result - blind
        health += probability * change * worth
        money += probability * change * PAY
        people += probability * treated
    return health, money, people


@pytest.mark.parametrize("role", ["selects", "spares"])
@pytest.mark.parametrize("blind", [0.0, 0.5, 1.0])
def test_formulas_are_the_enumeration(blind, role):
    u0 = blind * ALPHA
    drug = therapy("drug", h=H, hneg=HNEG, alpha=ALPHA, payers=(("public", ALPHA),), u0=u0, fit=FIT,
                   pay=(PAY,), m=PAY)
    case = use_case("site", "marker", [drug], role=role, prevalence=PI, prevalence_net=PI)
    problem = replace(tiny_problem(), indications=(
        indication("site", [case], [service("assay", ["marker"], 10.0, eta=ETA, se=SE, sp=SP)], N),))
    scenario = tiny_scenario(policy={"must_fund": ["site/marker"]}, coverage={"maximum": KAP})
    e = Engine(under(problem, scenario), scenario)
    for k in e.formulation.taken:  # everyone called positive with access is given the drug
        for _, x in k.x:
            e.model.set_columns([e.column(x)], ALPHA * KAP, ALPHA * KAP)
    line = read(e, e.optimum().plan.values).lines["XXX", "site/marker"]
    health, money, people = enumerate_types(u0, role)
    assert line.coverage == pytest.approx(KAP)
    assert line.health["qalys"] == pytest.approx(N * KAP * health, rel=1e-9, abs=1e-9)
    assert line.treatment_cost == pytest.approx(N * KAP * money, rel=1e-9, abs=1e-4)
    assert line.patients_treated == pytest.approx(N * KAP * people, rel=1e-9)
