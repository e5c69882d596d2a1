"""Published cost models of laboratories, figure by figure."""

from __future__ import annotations

import pytest

from planner.pathway.costing import average_cost, yearly_cost
from tests.pathway.published_costs import FOLDER, MODELS, accuracy, computed, figures, pathway, read, saved


@pytest.mark.parametrize("figure", figures(), ids=lambda f: f"{f.example}: {f.what}")
def test_printed_cost(figure):
    assert abs(figure.ours - float(figure.theirs)) <= figure.tolerance, (figure.ours, figure.theirs)


@pytest.mark.parametrize("name", MODELS)
def test_all_that_is_printed_is_computed_and_sourced(name):
    file = read(name)
    assert set(computed(name)) == set(file["printed"])
    assert set(file.get("apart", {})) <= set(file["printed"])
    assert all(file[key] for key in ("example", "source", "kind", "unit", "assumed"))


def test_every_file_is_a_model():
    assert {f.stem for f in FOLDER.glob("*.json")} == set(MODELS)


@pytest.mark.parametrize("figure", [f for f in figures() if f.within is not None], ids=lambda f: f"{f.example}: {f.what}")
def test_wider_tolerances_are_needed_and_small(figure):
    """A reason stands only where the printed digits are missed, and never hides more than 2 in 1,000."""
    apart = abs(figure.ours - float(figure.theirs))
    half = 0.5 * 10.0 ** -len(figure.theirs.partition(".")[2])
    assert half < apart and figure.error
    assert figure.within <= 0.0021 * float(figure.theirs)


def test_rounded_annuity_factors_explain_van_nimwegen_s_capital_to_the_cent():
    x, printed = read("van_nimwegen_2016")["inputs"], read("van_nimwegen_2016")["printed"]
    factor = {5: 4.39, 10: 7.913}
    for name, p in x["platforms"].items():
        by_theirs = sum(i["capital"] / factor[i["life_years"]] for i in p["instruments"])
        assert by_theirs == pytest.approx(float(printed[f"{name}: capital a year"]), abs=0.00501)


def test_a_second_instrument_of_van_nimwegen_is_paid_from_the_first_sample_beyond_the_capacity():
    """Their use is a tenth of the panel platform's capacity and three quarters of the others'."""
    x = read("van_nimwegen_2016")["inputs"]
    for p, use in zip(x["platforms"].values(), (0.10, 0.75, 0.75), strict=True):
        capacity = p["samples"] / use
        both = sum(yearly_cost(i["capital"], i["life_years"], x["interest"], i["maintenance"], i["free_years"])
                   for i in p["instruments"])
        last = int(capacity + 1e-6)
        full, beyond = (average_cost(n, 0.0, both, capacity, 0.0, 1, 0.0) * n for n in (last, last + 1))
        assert (full, beyond) == (pytest.approx(both), pytest.approx(2 * both))


def test_vinuesa_s_later_tests_are_as_many_as_printed():
    x = read("vinuesa_2018")["inputs"]["by PCR"]
    false = (x["cultured"] - x["confirmed"]) / (x["tested"] - x["confirmed"])
    option = pathway(("all", 1.0, accuracy(sp=1 - false)), ("positive", 1.0, accuracy()), ("positive", 1.0, accuracy()),
                     prevalence=x["confirmed"] / x["tested"])
    assert [n * x["tested"] for n in option.runs] == [pytest.approx(n) for n in (1020, 17, 12)]


def test_dorfman_s_exact_chance_agrees_where_positives_are_rare():
    """1 - (1 - p)^n instead of n p: the same printed 98.0 %, but 39.6 % where they print 36.7 %."""
    def exact(p, n):
        return 100 * (1 - pathway(("all", 1 / n, accuracy()), ("positive", 1.0, accuracy()),
                                  prevalence=1 - (1 - p) ** n).cost)

    assert (exact(0.0001, 80), saved("simple", 0.0001, 80)) == (pytest.approx(98.0, abs=0.05),) * 2
    assert exact(0.1, 3) == pytest.approx(39.6, abs=0.05)
