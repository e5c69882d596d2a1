"""Words of the page: glossary terms exist, text from tables stays text, CSV holds no formula."""

from __future__ import annotations

import ast
from pathlib import Path

import pandas as pd
import pytest

from planner.ui import glossary, sources, tables, widgets, words

UI = Path(widgets.__file__).parent


def asked() -> set[str]:
    """Every constant term that the pages ask the glossary for."""
    found = set()
    for file in UI.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "meaning":
                found |= {a.value for a in node.args if isinstance(a, ast.Constant)}
    return found


def test_every_term_the_pages_explain_stands_in_the_glossary():
    assert len(asked()) > 8
    assert asked() <= set(glossary.terms()), asked() - set(glossary.terms())


def test_the_glossary_is_read_from_its_table():
    assert glossary.parse("| term | meaning |\n|---|---|\n| a, b | what |\nno row\n") == {
        "a, b": "what", "a": "what", "b": "what"}
    assert glossary.meaning("no such term") is None


def test_text_from_tables_stays_text():
    said = widgets.plain("a $1 [x](http://b) **c** :smile: <b>")
    assert "\\$1" in said and "\\[x\\]" in said and "\\*\\*c" in said and "\\:smile\\:" in said


@pytest.mark.parametrize("text", ["# a", "- a", "1. a", "> a", "| a", "! a", "a\n# b"])
def test_text_from_tables_starts_nothing(text):
    said = widgets.plain(text)
    assert "\n" not in said and "\\" in said


@pytest.mark.parametrize("text", ["www.example.org", "someone@example.org", "https://example.org"])
def test_text_from_tables_becomes_no_link(text):
    assert text not in widgets.plain(text).replace("\\", "")


def test_csv_has_no_nan_and_guards_headers():
    text = widgets.csv(pd.DataFrame({"=h": [float("nan"), 1.5], "b": [" =1", None]})).decode("utf-8-sig")
    assert "nan" not in text and text.startswith("'=h") and "' =1" in text


def test_prices_keep_their_figures():
    assert sources.said(0.000234, "USD per mg") == "US$ 0.000234 per mg"
    assert sources._range(0.001, 0.002, "USD per mg") == "US$ 0.001 to US$ 0.002 per mg"
    assert sources._range(1.0, 1.0, "days") == ""


def test_a_sentence_ends_once():
    assert words.ended("known `a`") == "known “a”." and words.ended("which?") == "which?"


def test_csv_keeps_numbers_exact_and_disarms_formulas():
    text = widgets.csv(pd.DataFrame({"a": ["=1+1", "fine"], "b": [1 / 3, -2.0]})).decode("utf-8-sig")
    assert "'=1+1" in text and "0.3333333333333333" in text and "-2.0" in text


def test_only_web_addresses_become_links():
    assert tables.link({"doi": "10.1/x", "url": "javascript:alert(1)"}) == "https://doi.org/10.1/x"
    assert tables.link({"pmid": "123"}).endswith("/123/")
    assert tables.link({"url": "javascript:alert(1)"}) == ""
