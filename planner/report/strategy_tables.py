"""The tables of the strategies, described once: of one indication, and of the whole laboratory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from planner.report.analysis_tables import LINE, MONEY, Rows, Table, first, printed
from planner.report.tables import columns

RATIOS = columns(
    "Technical status|status", "In words|status_words", "Against|against", "USD per QALY against it|icer|cost_per_qaly",
    "Reference|reference", "QALYs more than the reference (a year)|qalys_to_reference|qalys",
    "Cost more than the reference (USD a year)|cost_to_reference|usd",
    "USD per QALY against the reference|icer_to_reference|cost_per_qaly",
    "USD per QALY against no testing|cost_per_qaly|cost_per_qaly",
    "QALYs on the lines known of today (a year)|qalys_known|qalys",
    "Cost on the lines known of today (USD a year)|cost_known|usd",
    "QALYs more than today, on the lines known of today (a year)|qalys_to_today|qalys",
    "Cost more than today, on the lines known of today (USD a year)|cost_to_today|usd",
    "Highest net health at the threshold|best_at_threshold")
PEOPLE = columns(
    "Technicians (minutes a year)|technician_minutes|number", "Scientists (minutes a year)|scientist_minutes|number",
    "Pathologists (minutes a year)|pathologist_minutes|number", "Tumour board (minutes a year)|board_minutes|number")
VALUE = columns(
    MONEY[0], "Treatment cost, incremental (USD a year)|treatment_cost|usd", "Tests and treatment (USD a year)|total_cost|usd",
    "Healthy years gained (QALYs a year)|qalys|qalys", "Net health (QALYs a year)|net_health|qalys")


def worth_a_look(rows: Rows) -> Rows:
    """What a terminal shows of many ways: the efficient ones, today's practice, and of single tests, panels, pathways, tests
    sent out and tests of blood the one of the lowest cost per QALY."""
    def least(wanted: Callable[[Mapping[str, Any]], Any]) -> list[Mapping[str, Any]]:
        return sorted((r for r in rows if wanted(r) and r["cost_per_qaly"] is not None), key=lambda r: r["cost_per_qaly"])[:1]

    kept = [r for r in rows if r["status"] in ("frontier", "apart") or r["kind"] in ("nothing", "today")]
    for kind in ("singles", "panel", "pathway"):
        kept += least(lambda r, kind=kind: r["kind"] == kind)
    kept += least(lambda r: r["place"] and not r["home_samples"]) + least(lambda r: r["liquid"])
    return [r for r in rows if r in kept]


STRATEGIES = (
    Table("strategies", "Strategies", "one way to test everybody who can be reached",
          columns("Strategy|strategy", "Kind|kind", "Laboratory|place", "Biomarkers answered|biomarkers|count",
                  "Single tests in it|tests", "Panel or pathway id|base", "Tested (people a year)|patients|people",
                  "Cost per patient, in full (USD)|cost_per_patient|usd",
                  "Cost of one more patient (USD)|cost_one_more|usd", "At home (samples a year)|home_samples|people",
                  "First test of blood|liquid", "Results in time (a year)|results|people",
                  "Results in time (share)|results_in_time|share", "Cost per result (USD)|cost_per_result|usd",
                  "Days to a result|days|number", "Positives found rightly (a year)|positives_true|people",
                  "Positives missed (a year)|positives_missed|people", "Found wrongly (a year)|positives_wrong|people",
                  "Cost per positive (USD)|cost_per_positive|usd", "Treated (people a year)|patients_treated|people",
                  "Cost per treated positive (USD)|cost_per_treated|usd", "Slides per patient|slides|number")
          + PEOPLE + VALUE + columns("Cost is an upper bound|cost_is_upper_bound") + RATIOS,
          printed("strategy|strategy", "US$/patient|cost_per_patient", "in time|results_in_time", "days|days",
                   "found|positives_true", "QALYs|qalys", "in all, US$|total_cost", "US$/QALY|icer",
                   "beside the others|status_words"), worth_a_look, True),
    Table("biomarkers", "By biomarker", "one strategy and one biomarker that it answers",
          columns("Strategy|strategy") + LINE
          + columns("Test|service", "Asked (people a year)|asked|people", "Results in time (share)|in_time|share",
                    "Usable results (share)|usable|share", "Sensitivity|sensitivity|share", "Specificity|specificity|share",
                    "Days to the result|days|number", "Positives found rightly (a year)|positives_true|people",
                    "Positives missed (a year)|positives_missed|people", "Found wrongly (a year)|positives_wrong|people")),
    Table("home_tests", "Tests at home", "one test that one way runs at home",
          columns("Strategy|strategy", "Test|name", "Assay id|assay",
                  "Runs a year (0: each sample as it comes)|runs_a_year|number",
                  "Samples a year|samples|people", "One more sample (USD)|marginal_cost|usd",
                  "On average, in full (USD)|average_cost|usd", "What the average is|basis")),
    Table("by_number", "Panel against single tests", "one panel and the first single tests that it would replace",
          columns("Panel|name", "Panel id|service", "Biomarkers|biomarkers|count", "Added|added", "Single test|single",
                  "Single test (USD per patient)|single_cost|usd",
                  "Single tests (USD per patient)|singles_cost|usd", "Panel (USD per patient)|panel_cost|usd",
                  "Panel costs no more from (biomarkers)|break_even|count"),
          printed("panel|name", "biomarkers|biomarkers", "added|added", "singles, US$|singles_cost", "panel, US$|panel_cost",
                   "breaks even at|break_even"), first(20, lambda r: r["break_even"] is not None), True),
    Table("break_even", "Own laboratory or elsewhere", "one test and one laboratory elsewhere",
          columns("Test|name", "Assay id|assay", "Elsewhere|elsewhere", "Price there, with transport (USD)|price|usd",
                  "Cheaper at home from (samples a year)|break_even|count", "At most here (samples a year)|most_here|people"),
          printed("test|name", "elsewhere|elsewhere", "price, US$|price", "cheaper at home from|break_even",
                   "at most here|most_here"), first(40, lambda r: True)),
    Table("by_volume", "Cost by volume", "one test and one volume",
          columns("Test|name", "Assay id|assay", "Samples a year|samples|count", "At home (USD per sample)|own_cost|usd",
                  "Instrument|platform", "Runs a year|runs_a_year|number", "National laboratory (USD per sample)|hub_cost|usd",
                  "Laboratory abroad (USD per sample)|send_out_cost|usd")),
)
LABORATORY = (
    Table("strategies", "Ways to run the laboratory", "one way, all indications planned again",
          columns("Way|strategy", "What it means|words", "Lines funded|lines_funded|count",
                  "Lines of the plan that it leaves out|leaves_out",
                  "Tested (people a year)|patients|people",
                  "Samples a year|samples|people", "Cost per sample (USD)|cost_per_sample|usd",
                  "Results in time (a year)|results|people", "Results in time (share)|results_in_time|share",
                  "Cost per result (USD)|cost_per_result|usd", "Positives found rightly (a year)|positives_true|people",
                  "Positives missed (a year)|positives_missed|people", "Found wrongly (a year)|positives_wrong|people",
                  "Cost per positive (USD)|cost_per_positive|usd", "Slides per patient|slides|number",
                  "At home (samples a year)|home_samples|people", "Home laboratory (USD a year)|home_cost|usd",
                  "of it fixed and by the run (USD a year)|fixed_cost|usd",
                  "Margin at the price elsewhere (USD a year)|margin|usd", "Treated (people a year)|patients_treated|people")
          + PEOPLE + VALUE + columns("Search ended|search", "Gap (share of the health)|gap|share") + RATIOS,
          printed("way|strategy", "tests, US$|testing_cost", "per sample|cost_per_sample", "at home|home_samples",
                   "lines|lines_funded", "QALYs|qalys", "in all, US$|total_cost", "US$/QALY|cost_per_qaly",
                   "beside the others|status_words"), first(20, lambda r: True), True),
    Table("tests", "Tests", "one test of one way: where it is run and what it costs",
          columns("Way|strategy", "Test|name", "Days to a result|days|number", "Assay id|assay", "Laboratory|laboratory",
                  "At home|at_home", "Why there|why", "Days to a result elsewhere|days_elsewhere|number",
                  "Runs a year (0: each sample as it comes)|runs_a_year|number",
                  "Runs in words|runs_words", "Samples a year|samples|people",
                  "Runs done a year|runs|number", "Samples in a run|samples_per_run|number",
                  "Mean wait for a run (days)|wait_days|number",
                  "One more sample (USD)|marginal_cost|usd", "On average (USD)|average_cost|usd",
                  "Price elsewhere (USD)|price_elsewhere|usd", "Margin at that price (USD a year)|margin|usd"),
          printed("test|name", "days|days", "laboratory|laboratory", "samples|samples", "average, US$|average_cost",
                   "why there|why"),
          lambda rows: [r for r in rows if r["strategy"] == "the plan"][:40], True),
    Table("platforms", "Instruments", "one instrument of one way",
          columns("Way|strategy", "Decided by the plan|decided", "Year|year|count",
                  "Instrument|name", "Platform id|platform", "Laboratory|laboratory",
                  "Instruments|instruments|number", "There already|existing|count", "Bought|bought|number",
                  "Samples a year|samples|people", "Runs a year|runs|number", "Runs it can do|capacity|number",
                  "Use (share)|utilisation|share", "Cost (USD a year)|yearly_cost|usd",
                  "Service of those there (USD a year)|service_already_paid|usd",
                  "Lost with one fewer (health a year)|one_fewer.lost|qalys"),
          printed("way|strategy", "instrument|name", "number|instruments", "samples|samples", "use|utilisation",
                   "US$ a year|yearly_cost", "plus service already paid|service_already_paid"), first(20, lambda r: True)),
    Table("staff", "People", "one cadre of one way",
          columns("Way|strategy", "Cadre|cadre", "Minutes a year|minutes|number", "Full-time people|full_time|number",
                  "Limit (minutes a year)|limit|number", "Use (share)|utilisation|share"),
          printed("way|strategy", "cadre|cadre", "minutes|minutes", "full-time|full_time"), first(20, lambda r: True)),
    Table("break_even", "Own laboratory or elsewhere", "one test and one laboratory elsewhere",
          columns("Test|name", "Assay id|assay", "Elsewhere|elsewhere", "Price there, with transport (USD)|price|usd",
                  "Cheaper at home from (samples a year)|break_even|count", "In the plan (samples a year)|planned|people",
                  "At most here (samples a year)|most_here|people", "Why the plan does otherwise|note"),
          printed("test|name", "elsewhere|elsewhere", "price, US$|price", "cheaper at home from|break_even",
                   "in the plan|planned", "why the plan does otherwise|note"), first(40, lambda r: True), True),
    Table("volumes", "Other volumes", "the hospital at half, its own and twice its cases, its money alike",
          columns("Times the cases|scale|number", "Samples a year|samples|people", *MONEY[:1],
                  "Cost per sample (USD)|cost_per_sample|usd", "Healthy years gained (QALYs a year)|qalys|qalys",
                  "At home (samples a year)|home_samples|people", "Tests at home|home_tests|count",
                  "Cost per sample at home (USD)|home_cost_per_sample|usd", "Run at home|at_home",
                  "Instruments|instruments|number", "Which|which") + PEOPLE
          + columns("Search ended|search", "Gap (share of the health)|gap|share"),
          printed("cases x|scale", "samples|samples", "per sample|cost_per_sample", "tests at home|home_tests",
                   "per sample at home|home_cost_per_sample", "technicians, min|technician_minutes",
                   "pathologists, min|pathologist_minutes", "instruments|which"), first(5, lambda r: True), True),
    Table("volume_tests", "Tests at other volumes", "one test at one volume",
          columns("Test|name", "Assay id|assay", "Times the cases|scale|number", "At home|at_home", "Laboratory|laboratory",
                  "Runs a year (0: each sample as it comes)|runs_a_year|number", "Samples a year|samples|people",
                  "On average (USD)|average_cost|usd", "Days to a result|days|number"),
          printed("test|name", "cases x|scale", "laboratory|laboratory", "samples|samples", "average, US$|average_cost",
                   "days|days"), first(120, lambda r: True)),
    Table("not_possible", "Not possible here", "one test that cannot be run here, or one line that cannot be planned",
          columns("What|what", "Name|name", "Id|id", "Why|reason"),
          printed("what|what", "name|name", "why|reason"), first(60, lambda r: True), True),
    Table("searches", "How the searches ended", "one way, or one volume",
          columns("Way or volume|what", "Search ended|search", "Gap (share of what is maximised)|gap|share",
                  "Healthy years gained (QALYs a year)|qalys|qalys"),
          printed("way or volume|what", "search ended|search", "gap|gap", "QALYs|qalys"), first(20, lambda r: True)),
)
