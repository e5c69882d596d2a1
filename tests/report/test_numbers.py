"""The one rounding function, and the answer in a sentence."""

from __future__ import annotations

import pytest

from planner.report.numbers import KINDS, sentence, show


@pytest.mark.parametrize("value, kind, text", [
    (2314.4, "people", "2,310"), (2315, "people", "2,320"), (0, "people", "0"), (3.456, "people", "3.46"),
    (0.02, "people", "under 0.05"), (123456, "people", "123,000"), (999.6, "people", "1,000"),
    (400_000, "usd", "US$ 400,000"), (12_345_678, "usd", "US$ 12.3 million"), (9_999_999, "usd", "US$ 10 million"),
    (2.5e9, "usd", "US$ 2.5 billion"), (-1234, "usd", "−US$ 1,230"), (0.001, "usd", "under US$ 0.01"),
    (1720.2, "qalys", "1,720"), (0.8149, "share", "81 %"), (0.9, "share", "90 %"), (1.0, "share", "100 %"),
    (0.9996, "share", "over 99.9 %"), (0.996, "share", "99.6 %"), (0.0004, "share", "under 0.1 %"), (0, "share", "0 %"),
    (-0.25, "share", "−25 %"), (-0.001, "usd", "over −US$ 0.01"), (0.054, "share", "5.4 %"), (1.5, "share", "150 %"),
    (1234.5, "cost_per_qaly", "US$ 1,230 per QALY"),
    (-5, "cost_per_qaly", "saves money"), (2.345, "ratio", "2.3"), (1.75, "years", "1.8 years"),
    (None, "usd", "unknown"), (float("nan"), "people", "unknown"), (float("inf"), "cost_per_qaly", "unknown"),
])
def test_show(value, kind, text):
    shown = show(value, kind)
    assert shown.replace("under US$ ", "US$ under ") == text.replace("under US$ ", "US$ under ")


def test_show_without_unit():
    assert show(12_345_678, "usd", unit=False) == "12,300,000"
    assert show(1234.5, "cost_per_qaly", unit=False) == "1,230"


def test_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="unknown kind"):
        show(1, "money")


@pytest.mark.parametrize("kind", KINDS)
def test_show_never_moves_a_number_far(kind):
    """Two figures keep a number within 5 %, three within 0.5 %."""
    for value in (0.07, 0.5, 0.94, 1.05, 9.94, 99.4, 1234.0, 87654.0):
        text = show(value, kind, unit=False).removesuffix(" %").replace(",", "")
        assert abs(float(text) / (100 if kind == "share" else 1) - value) <= 0.05 * value


def test_sentence_has_the_plan_s_numbers(plan):
    text, totals = sentence(plan.document), plan.totals
    assert "With US$ 60,000 a year for tests, Tinyland would test" in text
    assert f"{show(totals['patients_treated'], 'people')} people get a matched drug" in text
    assert f"{show(totals['qalys'], 'qalys')} healthy years (QALYs)" in text
    assert text.count(". ") <= 3
    assert "What holds it back is the testing budget" in text
    assert "**60,000" not in text and "**US$ 60,000**" in sentence(plan.document, bold=True)


def test_sentence_without_limits_and_without_tests(make):
    assert sentence(make().document).startswith("Without a limit on money, Tinyland would test")
    assert "would test for no biomarker" in sentence(make(budget={"testing": 0}).document)


def test_sentence_of_a_given_list(make):
    text = sentence(make(mode="evaluate", evaluate={"breast/er": 0.5}).document)
    assert text.startswith("With the list as given, for US$") and "1 biomarker in 1 cancer indication" in text
