"""Which rows hold for a place, and how they are combined."""

from __future__ import annotations

import math
import random

import pandas as pd
import pytest

from planner.errors import BadInput
from planner.evidence.strata import CAPS, StrataIndex, beta_cdf, beta_interval, nearest, place, pooled

KEY = {"indication_id": "lung_adv", "biomarker_id": "egfr"}


def frame(*rows) -> pd.DataFrame:
    """rows: (stratum_type, stratum, share, n, quality[, indication])."""
    return pd.DataFrame([
        {"indication_id": r[5] if len(r) > 5 else "lung_adv", "biomarker_id": "egfr", "stratum_type": r[0],
         "stratum": r[1], "share": r[2], "low": None, "high": None, "n": r[3],
         "source_id": f"s{i}", "quality": r[4], "note": None}
        for i, r in enumerate(rows)
    ])


@pytest.fixture
def kenya(evidence):
    return place(evidence, "KEN")


# -- places ----------------------------------------------------------------------------------------

def test_levels_most_specific_first(evidence):
    assert place(evidence, "USA", "US-TX").levels == (
        ("region", "US-TX"), ("country", "USA"), ("un_subregion", "Northern America"), ("un_region", "Americas"),
        ("who_region", "AMR"), ("income_group", "high"), ("world", "world"),
    )


@pytest.mark.parametrize("name", ["NAM", "nam", "Namibia", " namibia "])
def test_namibia_by_code_and_name(evidence, name):
    found = place(evidence, name)
    assert (found.iso3, found.name, found.region) == ("NAM", "Namibia", None)


def test_namibia_resolves_its_own_incidence(evidence):
    found = evidence.index("incidence").nearest(place(evidence, "NAM"), "cases", {"cancer_site": "lung", "sex": "both"})
    assert (found.value, found.level, found.stratum) == (120, "country", "NAM")


def test_region_by_name(evidence):
    found = place(evidence, "United States of America", "texas")
    assert (found.region, found.name) == ("US-TX", "Texas, United States of America")


@pytest.mark.parametrize(("country", "region", "words"), [
    ("Kenia", None, "Kenya (KEN)"), ("USA", "US-TZ", "Texas (US-TX)"), ("KEN", "US-TX", "region of Kenya"),
    ("", None, "unknown country"),
])
def test_unknown_place_names_the_nearest(evidence, country, region, words):
    with pytest.raises(BadInput) as error:
        place(evidence, country, region)
    assert words in str(error.value)


def test_territory_without_group_has_no_such_level(load, tables):
    tables["countries"][2] |= {"who_region": "", "income_group": ""}
    assert [level for level, _ in place(load(tables), "NAM").levels] == ["country", "un_subregion", "un_region", "world"]


# -- nearest ---------------------------------------------------------------------------------------

def test_most_specific_level_wins(kenya):
    rows = frame(("world", "world", 0.3, 1000, "A"), ("un_subregion", "Eastern Africa", 0.2, 50, "B"),
                 ("country", "UGA", 0.9, 50, "A"))
    found = nearest(rows, kenya, "share", **KEY)
    assert (found.value, found.level, found.stratum, found.rows) == (0.2, "un_subregion", "Eastern Africa", 1)
    assert found.source_ids == ("s1",) and found.key == tuple(KEY.items())


def test_several_rows_mean_weighted_by_n_if_all_have_it(kenya):
    found = nearest(frame(("world", "world", 0.3, 300, "B"), ("world", "world", 0.1, 100, "B")), kenya, "share", **KEY)
    assert found.value == pytest.approx(0.25) and found.n_effective == 400
    assert (found.low, found.high) == (0.1, 0.3)
    found = nearest(frame(("world", "world", 0.3, 300, "B"), ("world", "world", 0.1, None, "B")), kenya, "share", **KEY)
    assert found.value == pytest.approx(0.2) and found.n_effective is None


def test_wildcard_loses_at_the_same_level_and_wins_at_a_nearer_one(kenya):
    rows = frame(("world", "world", 0.3, None, "B"), ("world", "world", 0.1, None, "B", "*"))
    assert nearest(rows, kenya, "share", **KEY).value == 0.3
    rows = frame(("world", "world", 0.3, None, "B"), ("country", "KEN", 0.1, None, "B", "*"))
    assert nearest(rows, kenya, "share", **KEY).value == 0.1


def test_nothing_is_none_not_zero(kenya):
    rows = frame(("country", "UGA", 0.3, 10, "A"))
    assert nearest(rows, kenya, "share", **KEY) is None
    assert pooled(rows, kenya, "share", **KEY) is None
    assert nearest(frame(("world", "world", 0.3, 10, "A")), kenya, "low", **KEY) is None  # no value in the column


def test_partial_key_and_unknown_column(kenya):
    index = StrataIndex(frame(("world", "world", 0.3, 10, "A")), ("indication_id", "biomarker_id"))
    assert index.nearest(kenya, "share", {"biomarker_id": "egfr"}).value == 0.3
    assert index.rows(kenya, {"biomarker_id": "egfr"})[0]["note"] is None
    with pytest.raises(ValueError, match="no column drug"):
        index.nearest(kenya, "share", {"drug": "x"})
    with pytest.raises(ValueError, match="it has no strata"):
        StrataIndex(pd.DataFrame({"a": [1]}), ("a",))


def test_borrowed_grade(kenya):
    assert nearest(frame(("world", "world", 0.3, 10, "A")), kenya, "share", **KEY).quality == "C"
    assert nearest(frame(("un_region", "Africa", 0.3, 10, "A")), kenya, "share", **KEY).quality == "B"
    assert nearest(frame(("world", "world", 0.3, 10, "D")), kenya, "share", **KEY).quality == "D"
    assert nearest(frame(("country", "KEN", 0.3, 10, "A")), kenya, "share", **KEY).quality == "A"


# -- pooled ----------------------------------------------------------------------------------------

def test_one_small_outlier_does_not_override_a_region(kenya):
    rows = frame(("country", "KEN", 0.9, 8, "C"), ("un_subregion", "Eastern Africa", 0.2, 400, "B"),
                 ("world", "world", 0.25, 5000, "A"))
    found = pooled(rows, kenya, "share", **KEY)
    world = 20 * 20 / 70  # a prior of 20 beside 50 of the sub-region's own
    region = (50 * 0.2 + world * 0.25) / (50 + world)
    prior = 50 * 50 / 58  # what leaves the sub-region counts for 50 people, beside 8 of the country's own
    assert found.value == pytest.approx((8 * 0.9 + prior * region) / (8 + prior))
    assert 0.2 < found.value < 0.35
    assert found.level == "country" and found.rows == 3 and found.n_effective == pytest.approx(8 + prior)


def test_a_large_foreign_study_does_not_drown_local_counts(kenya):
    rows = frame(("country", "KEN", 0.1, 200, "B"), ("world", "world", 0.5, 1_000_000, "A"))
    found = pooled(rows, kenya, "share", **KEY)
    prior = 20 * 20 / 220
    assert found.value == pytest.approx((200 * 0.1 + prior * 0.5) / (200 + prior))
    assert found.value < 0.11


def test_what_is_borrowed_counts_for_no_more_than_its_nearest_level(kenya):
    rows = frame(*[(level, kenya.levels[n][1], 0.3, 1000, "A") for n, level in enumerate(
        ("country", "un_subregion", "un_region", "who_region", "income_group", "world")) if level != "country"])
    assert pooled(rows, kenya, "share", **KEY).n_effective == pytest.approx(CAPS["un_subregion"])


def test_studies_of_one_level_share_its_cap(kenya):
    rows = frame(*[("world", "world", share, n, "A") for share, n in ((0.2, 1000), (0.4, None), (0.6, 10))])
    found = pooled(rows, kenya, "share", **KEY)
    # weights min(n, 20): 20, 20 (n missing counts 30), 10; together no more than 20
    assert found.value == pytest.approx((20 * 0.2 + 20 * 0.4 + 10 * 0.6) / 50)
    assert found.n_effective == pytest.approx(CAPS["world"])


def test_interval_of_the_pooled_share_is_that_of_the_beta(kenya):
    found = pooled(frame(("country", "KEN", 0.3, 100, "A")), kenya, "share", **KEY)
    assert (found.low, found.high) == pytest.approx((0.214668, 0.392909), abs=1e-6)


def test_quality_is_the_worst_that_carries_a_quarter(kenya):
    strong = ("country", "KEN", 0.3, 150, "A")
    light = pooled(frame(strong, ("country", "KEN", 0.3, 40, "D")), kenya, "share", **KEY)
    heavy = pooled(frame(strong, ("country", "KEN", 0.3, 60, "D")), kenya, "share", **KEY)
    many = pooled(frame(strong, *[("country", "KEN", 0.3, 20, "D")] * 3), kenya, "share", **KEY)
    assert (light.quality, heavy.quality, many.quality) == ("A", "D", "D")
    assert pooled(frame(("un_subregion", "Eastern Africa", 0.3, 50, "A")), kenya, "share", **KEY).quality == "B"
    assert pooled(frame(("income_group", "lower_middle", 0.3, 50, "A")), kenya, "share", **KEY).quality == "C"


def test_row_order_does_not_matter(kenya):
    rows = [("country", "KEN", random.Random(i).random(), 7 * i + 1, "B") for i in range(20)]
    first = frame(*rows)
    again = first.sample(frac=1, random_state=3).reset_index(drop=True)
    assert pooled(first, kenya, "share", **KEY) == pooled(again, kenya, "share", **KEY)
    assert nearest(first, kenya, "share", **KEY) == nearest(again, kenya, "share", **KEY)


# -- the incomplete beta ---------------------------------------------------------------------------

@pytest.mark.parametrize(("a", "b", "x"), [(3, 7, 0.2), (1, 1, 0.3), (50, 150, 0.27), (2, 400, 0.01), (400, 2, 0.99)])
def test_beta_against_the_binomial_tail(a, b, x):
    n = a + b - 1
    tail = math.fsum(math.comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
    assert beta_cdf(x, a, b) == pytest.approx(tail, rel=1e-11)


@pytest.mark.parametrize("share", [0.001, 0.02, 0.3, 0.5, 0.97, 0.9999])
@pytest.mark.parametrize("n", [1.0, 20.0, 137.5, 400.0])
def test_interval_inverts_the_distribution(share, n):
    low, high = beta_interval(share, n)
    assert 0 <= low <= high <= 1
    for bound, tail in ((low, 0.025), (high, 0.975)):
        if 1e-9 < bound < 1 - 1e-9:  # nearer to the ends a float cannot hold the quantile
            assert beta_cdf(bound, share * n, (1 - share) * n) == pytest.approx(tail, abs=1e-6)


def test_interval_at_the_ends():
    assert beta_interval(0, 100) == (0, pytest.approx(1 - 0.025**0.01))
    assert beta_interval(1, 100) == (pytest.approx(0.025**0.01), 1)
    with pytest.raises(ValueError, match="has no interval"):
        beta_interval(1.2, 10)
