"""data/LICENCES.md speaks of every table, and keeps the notices that sources ask for."""

from __future__ import annotations

import re

import planner
from planner.evidence.base import data_folder


def test_every_table_has_its_terms():
    evidence = planner.load_evidence()
    text = (data_folder() / "LICENCES.md").read_text("utf-8")
    named = set(re.findall(r"`([a-z_]+)(?:\.\w+)?`", text))
    assert set(evidence.dictionary.tables) <= named, set(evidence.dictionary.tables) - named
    if any(r["loinc"] for r in evidence.records("assays")):
        assert "LOINC is copyright © Regenstrief Institute" in text
    for source, words in (("globocan_2022", "IARC's terms"), ("un_wpp_2024", "CC BY 3.0 IGO"), ("who_atc_2026", "ATC codes")):
        assert evidence.record("sources", source_id=source) and words in text
