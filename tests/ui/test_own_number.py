"""The panel beneath the numbers in use: a number of one's own in place of another, told on the left, taken back."""

from __future__ import annotations

from tests.ui.test_evidence_page import calm, opened, text

PLAN = "planner/ui/pages/plan.py"
EVIDENCE = "planner/ui/pages/evidence.py"
HER2 = ("prevalence", "breast_early/her2")
ROW = "Prevalence of HER2, Invasive breast cancer, stage I-III"


def looked_at(number: str, key: str, **params):
    """The panel of one number; a click on the table sets the same key of the session."""
    at = opened("numbers", **({"country": "KEN"} | params))
    return look(at, number, key)


def look(at, number: str, key: str):
    at.session_state["fact_chosen"] = (number, key, None, None, ())
    return calm(at.run())


def field(at, label: str):
    return next(t for t in at.text_input if t.label.startswith(label))


def fill(at, **values):
    for label, value in values.items():
        field(at, label.replace("_", " ")).set_value(value)
    return at


def press(at, label: str):
    return calm(next(b for b in at.button if b.label.startswith(label)).click().run())


def use(at, **values):
    return press(fill(at, **values), "Use this number")


def overrides(at) -> list:
    return list(at.session_state["scenario"].override)


def changed(at) -> list[str]:
    return [b.label.replace("\\", "") for b in at.sidebar.button if (b.key or "").startswith("change_")]


def told(at) -> str:
    return "\n".join(e.value for e in at.error)


def test_a_number_is_changed_told_kept_and_taken_back():
    at = looked_at(*HER2)
    said = text(at)
    for part in (ROW, "Now 17.83 %, range", "grade B", "From this country", "Source Aga Khan", "Open the source", "Note"):
        assert part in said, part
    assert not [c for d in at.dataframe for c in d.value if c == "Instead of"]
    use(at, New_value="22", Low="18", High="27", Why="register of 2025", Source="Registry report 7")
    own = overrides(at)[0]
    assert (own.value, own.low, own.high, own.why, own.source) == (0.22, 0.18, 0.27, "register of 2025", "Registry report 7")
    assert changed(at) == [f"{ROW}: 22 % instead of 17.83 % (register of 2025)"]
    assert "Now 22 %, range 18 % to 27 %, grade D" in text(at) and "Instead of 17.83 % in the evidence" in text(at)
    rows = next(d.value for d in at.dataframe if "Instead of" in d.value)
    row = rows[rows["Number"].eq("prevalence") & rows["Value"].eq("22 %")].iloc[0]
    assert (row["Instead of"], row["From"], row["Source"]) == ("18 %", "your own number", "Registry report 7")

    calm(at.switch_page(PLAN).run())
    assert changed(at) and overrides(at)[0].value == 0.22
    calm(at.switch_page(EVIDENCE).run())
    assert "Now 22 %" in text(at) and field(at, "New value").value == "22" and field(at, "Why").value == "register of 2025"

    use(at, New_value="25", Low="", High="")
    assert [(o.value, o.low) for o in overrides(at)] == [(0.25, None)] and len(changed(at)) == 1
    press(at, "Take it back\\: 17.83 % again")
    assert overrides(at) == [] and changed(at) == [] and "Now 17.83 %" in text(at)
    assert field(at, "New value").value == "" and field(at, "Why").value == ""


def test_what_is_wrong_is_told_beside_the_form_and_nothing_is_lost():
    at = looked_at(*HER2)
    for values, words in (
        ({"New_value": "150", "Why": "our count"}, ("New value", "1.5 is impossible (150 %)", "at most 1 (0 to 100 %)")),
        ({"New_value": "20", "Why": ""}, ("Why", "it is missing")),
        ({"New_value": "20", "Low": "30", "High": "10", "Why": "our count"}, ("Low", "above the high end")),
        ({"New_value": "a fifth", "Low": "", "High": ""}, ("New value", "“a fifth” is no number")),
        ({"New_value": "", "Why": "x"}, ("New value", "it is empty", "Why", "it is missing")),
    ):
        use(at, **values)
        assert all(w in told(at) for w in words), told(at)
        assert overrides(at) == [] and field(at, "New value").value == values["New_value"]
    assert "[" not in told(at).replace("[[", "") and "_" not in told(at)
    use(at, New_value="20", Low="", High="", Why="our count")
    assert told(at) == "" and overrides(at)[0].value == 0.2


def test_money_may_be_of_another_currency_and_year():
    at = looked_at("cost of the assay", "egfr_pcr")
    next(s for s in at.selectbox if s.label == "Currency").set_value("KES")
    next(n for n in at.number_input if n.label == "Prices of").set_value(1991)
    use(at, New_value="5,000", Why="tender of 2022")
    assert "no rate for KES in 1991" in told(at) and overrides(at) == []
    next(n for n in at.number_input if n.label == "Prices of").set_value(2022)
    press(at, "Use this number")
    own = overrides(at)[0]
    assert (own.value, own.currency, own.year) == (5000, "KES", 2022)
    assert changed(at)[0].startswith("Cost of the test EGFR hotspot real-time PCR: KES 5,000 of 2022 instead of US$ ")


def test_what_is_computed_leads_to_what_it_is_computed_from():
    at = looked_at("new cases a year", "apl")
    assert "It is computed" in at.main.info[0].value and not [b for b in at.button if b.label == "Use this number"]
    press(at, "Show incidence rate")
    assert "Incidence rate of Acute promyelocytic leukaemia" in text(at)
    use(at, New_value="0.2", Why="our registry")
    look(at, "new cases a year", "apl")
    assert "Now 108.5 cases a year" in text(at), [x for x in text(at).splitlines() if "Now" in x]
    press(at, "Close")
    assert "This number" not in text(at)


def test_a_number_that_holds_for_others_says_so():
    at = looked_at("access to the drug, household", "imatinib/cml/household")
    assert "holds for every use of imatinib paid by households" in text(at) and "GIST, unresectable" in text(at)
    use(at, New_value="40", Why="survey of 2025")
    assert changed(at)[0].startswith("Share who get imatinib through households: 40 % instead of 28.7 % to 37 %")


def test_the_value_of_a_healthy_year_is_a_setting():
    at = looked_at("value of a QALY", "KEN")
    assert not [t for t in at.text_input if t.label == "Why"]
    use(at, New_value="0")
    assert "New value" in told(at)
    use(at, New_value="1,000")
    assert at.session_state["scenario"].value_of_qaly == 1000
    assert changed(at) == ["A healthy year (QALY) is valued at US$ 1,000"] and "Instead of US$ 642.4" in text(at)
    press(at, "Take it back")
    assert at.session_state["scenario"].value_of_qaly == "national"


def test_a_click_is_kept_by_what_the_row_is(monkeypatch):
    """The place of a row is read among the rows that were shown; other rows make another table without a mark."""
    import streamlit as st

    from planner.ui import own_number

    session: dict = {}
    monkeypatch.setattr(st, "session_state", session)
    ids = [("prevalence", f"i/{n}", "prevalence", "share", ()) for n in range(5)]
    key = own_number.table_key(ids)
    session[key] = {"selection": {"rows": [3]}}
    own_number.clicked(key, ids)
    assert session["fact_chosen"] == ids[3]
    fewer = ids[2:4]
    assert own_number.table_key(fewer) != key and own_number.marked(fewer) == {"selection": {"rows": [1]}}
    assert own_number.marked(ids[:2]) is None
    session[key] = {"selection": {"rows": []}}
    own_number.clicked(key, ids)
    assert session["fact_chosen"] is None
