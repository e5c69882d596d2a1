"""The page Evidence: what the evidence covers, how an effect is derived, how a drug is reached."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE = "planner/ui/pages/evidence.py"


def opened(tab: str, **params) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240)
    for key, value in params.items():
        at.query_params[key] = value
    at = calm(calm(at.run()).switch_page(EVIDENCE).run())
    at.session_state["evidence_tab"] = tab
    return calm(at.run())


def calm(at: AppTest) -> AppTest:
    assert not at.exception, [e.value for e in at.exception]
    return at


def text(at: AppTest) -> str:
    parts = [*at.markdown, *at.caption, *at.header, *at.info, *at.expander]
    return "\n".join(str(getattr(p, "value", None) or p.label) for p in parts).replace("\\", "").replace("**", "")


def test_what_the_evidence_covers_needs_no_country():
    at = opened("covered")
    assert "weakest numbers" in text(at) and "Source: all numbers of the evidence" in text(at)
    assert "What would better it" in text(at)
    at.session_state["heat_what"] = "near"
    assert "from nearby" in text(calm(at.run()))
    calm(at.selectbox(key="weak_where").set_value("KEN").run())
    frame = next(d.value for d in at.dataframe if "People a year" in d.value)
    assert len(frame) and "Countries" not in frame


@pytest.mark.parametrize(("country", "line", "therapy"), [
    ("KEN", "nsclc_nonsq_advanced/alk", "nsclc_nonsq_advanced_alk_alectinib"),
    ("DEU", "breast_early/her2", "breast_early_her2_trastuzumab"),
    ("UGA", "cml/bcr_abl1", "cml_bcr_abl1_nilotinib"),
])
def test_an_effect_on_one_screen(country, line, therapy):
    at = opened("effect", country=country)
    calm(at.selectbox(key="effect_line").set_value(line).run())
    calm(at.selectbox(key=f"effect_therapy_{line}").set_value(therapy).run())
    said = text(at)
    for part in ("Derived from", "Crossover", "Against", "Weight of a year", "Without the marker", "Source", "Note"):
        assert part in said, part
    assert any(m.label == "Remaining life expectancy used" for m in at.metric)


def test_every_treatment_has_a_screen():
    at = opened("effect", country="KEN")
    for line in ("crc_stage2_3/msi", "gist_advanced/kit_pdgfra", "thyroid_medullary_advanced/ret", "breast_metastatic/esr1",
                 "apl/pml_rara", "nsclc_early_resected/alk"):
        calm(at.selectbox(key="effect_line").set_value(line).run())
        assert "Derived from" in text(at) or "cannot be derived" in text(at)


@pytest.mark.parametrize("country", ["KEN", "BRA", "UGA"])
def test_how_a_drug_is_reached(country):
    at = opened("routes", country=country)
    for drug in ("imatinib", "trastuzumab", "osimertinib"):
        calm(at.selectbox(key="route_drug").set_value(drug).run())
        said = text(at)
        assert "of those in need can get it today" in said and "Trials are kept apart" in said and "denominator" in said
        assert "Rule “" in said or "Measured" in said
        frame = next((d.value for d in at.dataframe if "Route" in d.value), None)
        assert frame is None or not frame["Route"].str.contains("trial").any()


def test_a_line_asked_for_shows_its_numbers_first():
    at = opened("covered", country="KEN")
    at.session_state["about"] = "breast_early/her2"
    calm(at.run())
    assert "Every number in use" in text(at)
