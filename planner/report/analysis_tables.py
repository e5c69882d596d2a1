"""The tables of every analysis, described once: columns with their units, and what a terminal shows.

The printed answer, the workbook, the CSV, the page and ``docs/analyses.md`` are all made from here. In a
header ``{measure}`` stands for the measure of health and ``{objective}`` for what the plan maximises;
:meth:`Table.headed` fills them in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from planner.report.tables import Column, columns

Rows = Sequence[Mapping[str, Any]]


def every(rows: Rows) -> Rows:
    """All rows, as they stand."""
    return rows


def first(n: int, wanted: Callable[[Mapping[str, Any]], Any] = bool) -> Callable[[Rows], Rows]:
    """The first n rows that are wanted."""
    return lambda rows: [r for r in rows if wanted(r)][:n]


def spread(n: int) -> Callable[[Rows], Rows]:
    """At most n rows, evenly from the first to the last."""
    return lambda rows: rows if len(rows) <= n else [rows[round(k * (len(rows) - 1) / (n - 1))] for k in range(n)]


def nearest_flips(rows: Rows) -> Rows:
    """Values at which a decision flips, the nearest to today's first."""
    flips = [r for r in rows if r["flips_at"] is not None]
    far = float("inf")
    return sorted(flips, key=lambda r: far if r["relative_change"] is None else abs(r["relative_change"]))[:25]


def with_tiers(rows: Rows) -> Rows:
    """Changed lines; where the priority alone changed it stands in the place of the coverage, which did not."""
    told = [{**r, **{f"coverage_{end}": str(r[f"tier_{end}"]).replace("_", " ") for end in ("before", "after")}}
            if r["change"] == "tier" else r for r in rows]
    return first(40)(told)


@dataclass(frozen=True)
class Table:
    """A table: its name in the JSON, title (a sheet's), what a row is, columns; and what a terminal shows:
    ``printed`` (short header, path), of the rows that ``shown`` picks; nothing where ``printed`` is empty."""

    name: str
    title: str
    row: str
    columns: tuple[Column, ...]
    printed: tuple[tuple[str, str], ...] = ()
    shown: Callable[[Rows], Rows] = every
    wrapped: bool = False  # long texts over several lines of a terminal, not cut

    def headed(self, measure: str = "health, in the scenario's measure",
               objective: str = "health, as the scenario counts it") -> tuple[Column, ...]:
        """The columns with the measure in their headers."""
        return tuple(replace(c, header=c.header.replace("{measure}", measure).replace("{objective}", objective))
                     for c in self.columns)

    def column(self, path: str) -> Column:
        return next(c for c in self.columns if c.path == path)


def printed(*specs: str) -> tuple[tuple[str, str], ...]:
    return tuple(tuple(spec.split("|")) for spec in specs)


KEYS = columns("Indication|indication", "Biomarker|short_name", "Indication id|indication_id", "Biomarker id|biomarker_id")
LINE = columns("Region|region") + KEYS
WHO = ("cancer|indication", "test|short_name")
MONEY = ("Testing cost (USD a year)|testing_cost|usd", "Treatment cost (USD a year)|treatment_cost|usd")
SPREAD = ("Mean|mean|number", "Standard error of the mean|standard_error|number", "2.5 % of draws below|low|number",
          "Median|median|number", "97.5 % of draws below|high|number")
TREATED = "Treated with a matched drug (people a year)|patients_treated|people"
QALYS = "Healthy years gained (QALYs a year)|qalys|qalys"
TOTALS = (
    *MONEY, "Cost in all, discounted (USD a year)|incremental_cost|usd", QALYS,
    "Life-years gained (a year)|life_years|qalys", "Deaths averted (a year)|deaths_averted|people")
PEOPLE = (
    "Eligible (people a year)|patients_eligible|people", "Tested (people a year)|patients_tested|people",
    "Positives found (people a year)|positives_found|people", TREATED,
    "Lines funded|lines_funded|count", "Net health (QALYs a year)|net_health|qalys",
    "Cost per QALY (USD)|cost_per_qaly|cost_per_qaly")

FRONTIER = (
    Table("points", "Value by budget", "one budget at which the slope changes; between two of them the value is a straight line",
          columns("Budget (USD a year)|budget|usd", "{objective} (a year)|value|qalys", "Measure|measure",
                  "{objective} per USD below|value_per_usd_before|number", "{objective} per USD above|value_per_usd_after|number",
                  "USD for one more unit, below|usd_per_unit_before|cost_per_qaly",
                  "USD for one more unit, above|usd_per_unit_after|cost_per_qaly", "Lines funded|lines|count"),
          printed("budget, US$|budget", "health|value", "US$ per unit below|usd_per_unit_before",
                   "US$ per unit above|usd_per_unit_after", "lines|lines"), spread(15)),
    Table("events", "Who enters when", "one line entering, full, leaving or returning as the budget grows",
          LINE + columns("Event|event", "At a budget of (USD a year)|budget|usd", "Coverage there (share)|coverage|share"),
          printed("budget, US$|budget", "event|event", *WHO), first(40, lambda r: r["event"] != "full")),
    Table("lines", "Coverage by budget", "one line at one budget",
          LINE + columns("Budget (USD a year)|budget|usd", "Coverage (share)|coverage|share")),
)
SWITCHING = (
    Table("values", "Switching values", "one line and one lever: the value at which the decision flips, all else planned again",
          LINE + columns("Lever|lever", "What is moved|lever_words", "Unit|unit", "In the plan|in_plan", "Today|today|number",
                         "Flips at (empty: not within the range)|flips_at|number", "Sought up to|sought_to|number",
                         "Change (share of today's)|relative_change|share"),
          printed(*WHO, "in plan|in_plan", "today|today", "flips at|flips_at", "unit|unit", "change|relative_change",
                   "what is moved|lever_words"), nearest_flips),
    Table("lines", "Lines", "one line of the list",
          LINE + columns("In the plan|in_plan", "Coverage (share)|coverage|share",
                         "Lost if struck out ({objective}, a year)|criticality|qalys", "Measure|measure",
                         "Enters at (USD a year)|entry_budget|usd",
                         "In before, from and to (USD a year)|earlier_spells", "Budget swept|axis")),
    Table("preferences", "Price of preferences", "one preference of the scenario, lifted alone and all planned again",
          columns("Preference|preference", "Name|name", "In words|words", "Measure|measure",
                  "It costs ({measure}, a year)|health_cost|qalys", "It costs ({objective}, a year)|objective_cost|qalys",
                  "More for tests (USD a year)|testing_cost|usd", "More for treatment (USD a year)|treatment_cost|usd",
                  "Why it is not told|note"),
          printed("preference|words", "health lost|health_cost", "tests, US$|testing_cost", "drugs, US$|treatment_cost"),
          first(25)),
)
ACCESS = (
    Table("drugs", "Drugs", "one drug made as reachable as its ceiling says, the list planned again; most health first",
          columns("Drug id|drug", "Drug|name", "Can get it today (share of those in need)|share_today|share",
                  "Could get it (share of those in need)|share_then|share", "Gained ({measure}, a year)|health_gained|qalys",
                  "Measure|measure", "Treated more (people a year)|people_treated|people",
                  "Lines that enter|lines_entering|count",
                  "Lines that give way|lines_leaving|count", "Savings on other lines|displaces",
                  "More for tests (USD a year)|testing_cost|usd",
                  "More for treatment (USD a year)|treatment_cost|usd",
                  "More in all, discounted (USD a year)|incremental_cost|usd", "Cost of a course today (USD)|course_cost|usd",
                  "A course pays below (USD)|price_that_pays|usd",
                  "Where none is told: the drug and its test alone pay below (USD)|price_alone|usd",
                  "Why no price of the whole list is told|price_note", "Costs are upper bounds|cost_is_upper_bound",
                  "Gained or lost as planned again ({measure}, a year)|health_replanned|qalys", "Note on the gain|note"),
          printed("drug|name", "today|share_today", "then|share_then", "health|health_gained", "people|people_treated",
                   "lines|lines_entering", "drugs, US$|treatment_cost", "course, US$|course_cost", "pays below|price_that_pays",
                   "alone below|price_alone"),
          first(25, lambda r: r["health_gained"] > 0)),
    Table("enters", "Lines that enter or give way", "one line that enters the list, or gives way, once the drug can be got",
          columns("Drug id|drug", "Enters or leaves|event") + LINE + columns("Coverage (share)|coverage|share"),
          printed("drug|drug", "event|event", *WHO, "coverage|coverage"), first(25)),
    Table("money", "Money by payer",
          "one therapy (or tests), payer and year after the listing, against the plan; they add up to the totals",
          columns("Drug id|drug", "Therapy id|therapy", "Therapy|therapy_name", "Therapy with the drug|of_the_drug",
                  "Payer|payer",
                  "Year after the listing|year|count",
                  "Treated more, of this payer (people a year)|people_treated|people", "Cost (USD in that year)|cost|usd")),
    Table("routes", "Test, drug or both", "one therapy and line: the same people with test and drug, drug alone, test alone",
          columns("Drug id|drug", "Therapy id|therapy", "Therapy|therapy_name") + LINE
          + columns("People (a year)|people|people", "Test and drug: QALYs|both_qalys|qalys",
                    "Test and drug: cost (USD)|both_cost|usd", "Test and drug: treated (people)|both_treated|people",
                    "Drug alone: QALYs|drug_only_qalys|qalys", "Drug alone: cost (USD)|drug_only_cost|usd",
                    "Drug alone: treated (people)|drug_only_treated|people",
                    "Drug alone: treated without benefit (people)|drug_only_without_benefit|people",
                    "Test alone: treated (people a year)|test_only_treated|people",
                    "Test alone: QALYs|test_only_qalys|qalys", "Test alone: cost (USD)|test_only_cost|usd", "Test|service")),
    Table("pairs", "Pairs of drugs", "two drugs that help more together than apart",
          columns("Drug id|drug_a", "With drug id|drug_b", "Drug|name_a", "With drug|name_b",
                  "Together ({measure}, a year)|together|qalys",
                  "The first alone ({measure}, a year)|a_alone|qalys", "The second alone ({measure}, a year)|b_alone|qalys",
                  "More together ({measure}, a year)|more_together|qalys", "Neither helps alone|only_together", "Measure|measure",
                  "One regimen|one_regimen"),
          printed("drug|name_a", "with|name_b", "together|together", "first alone|a_alone", "second alone|b_alone"), first(10)),
    Table("untested", "Drug without test", "one line whose drug can be got and whose test the plan does not fund in full",
          LINE + columns("Can get the drug (share of those in need)|access_share|share",
                         "Get it untested today (share)|blind_use|share",
                         "Coverage (share)|coverage|share", "Coverage today (share)|coverage_today|share", "In the plan|in_plan",
                         "People (a year)|people|people", "If all were tested (QALYs a year)|qalys_if_tested|qalys",
                         "Testing cost (USD a year)|testing_cost|usd", "Cost per QALY (USD)|cost_per_qaly|cost_per_qaly",
                         "Test|service")),
    Table("closed", "Not opened here", "one drug and line that not everybody can get and better access alone would not open",
          columns("Drug id|drug", "Drug|name") + LINE + columns("Can get it today (share of those in need)|share_today|share",
                                                               "Ceiling (share of those in need)|ceiling|share",
                                                               "Why|reason"),
          printed("drug|name", *WHO, "today|share_today", "ceiling|ceiling", "why|reason"), first(25)),
)
ALTERNATIVES = (
    Table("ranges", "In every list, some, or none",
          "one line: least and greatest coverage over all lists within the tolerance",
          LINE + columns("Least coverage (share)|least|share", "Greatest coverage (share)|greatest|share",
                         "In every list|in_every_list", "Where|where", "Attainable coverage (share)|attainable|share"),
          printed(*WHO, "in the lists|where", "least|least", "greatest|greatest"), first(40, lambda r: r["where"] != "never")),
    Table("lists", "Lists", "one list within the tolerance, the plan first",
          columns("List|list", "{measure} (a year)|health|qalys", "Measure|measure", *MONEY, "Lines|lines|count",
                  "Without|without", "Instead|instead"),
          printed("list|list", "health|health", "tests, US$|testing_cost", "drugs, US$|treatment_cost", "lines|lines",
                   "without|without", "instead|instead"), first(25)),
    Table("lines", "Coverage by list", "one list and one line",
          columns("List|list") + LINE + columns("Coverage (share)|coverage|share", "In the list|in_list")),
    Table("differing", "How lists differ", "one list and one line that it has and the plan has not, or the other way round",
          columns("List|list", "Without it, or instead|how") + LINE),
    Table("ties", "Ties", "one test that could stand in at the same health and cost",
          columns("Region|region", "Line|use_case", "Test|service", "In words|text")),
)
SENSITIVITY = (
    Table("parameters", "Parameters", "one uncertain number at both ends of its interval, all planned again; widest swing first",
          columns("Name|name", "In words|words", "Group|group", "Group in words|group_words", "Parameter|parameter",
                  "Key|key", "Table|table", "Value|value|number",
                  "Low (2.5 %)|low|number", "High (97.5 %)|high|number", "Grade|quality",
                  "{objective} at its low end (a year)|health_at_low|qalys",
                  "{objective} at its high end (a year)|health_at_high|qalys",
                  "Swing ({objective}, a year)|swing|qalys", "Lines that change sides|lines_changed",
                  "Moves with|moves_with"),
          printed("number|name", "grade|quality", "low|low", "high|high", "health at low|health_at_low",
                   "health at high|health_at_high", "swing|swing"), first(20, lambda r: r["swing"] > 0)),
    Table("grid", "Two at once", "one pair of values of the two parameters asked for",
          columns("First|a", "Second|b", "Value of the first|a_value|number", "Value of the second|b_value|number",
                  "{objective} (a year)|health|qalys", "Lines funded|lines|count"),
          printed("first|a_value", "second|b_value", "health|health", "lines|lines"), first(25)),
    Table("lines_changed", "Lines that change sides", "one number and one line that changes sides between its ends",
          columns("Name|name") + LINE),
)
UNCERTAINTY = (
    Table("lines", "How sure each line is", "one line of the list, planned again in every draw",
          LINE + columns("Rank|rank|count", "In the list (share of draws)|share_in|share",
                         "Standard error (share)|standard_error|share", "In the plan|in_plan",
                         "Priority|priority_tier", "Priority where it is not sure|robust_tier",
                         "Mean coverage (share)|mean_coverage|share"),
          printed("rank|rank", *WHO, "in plan|in_plan", "in draws|share_in", "mean coverage|mean_coverage",
                   "priority|robust_tier"),
          first(40, lambda r: r["in_plan"] or (r["share_in"] or 0) > 0.05)),
    Table("candidates", "Lists compared", "one list of the finite set, valued in every draw",
          columns("List|list", QALYS, "Cost in all, discounted (USD a year)|cost|usd",
                  "Net health (QALYs a year)|net_health|qalys", "Best in net health (share of draws)|chance_best|share",
                  "Expected loss (QALYs a year)|expected_loss|qalys",
                  "Beats the first list on the lines compared (share of draws)|beats_reference|share",
                  "Lines that it holds|holds",
                  "Delivered (mean share)|delivered|share", "Money too short (share of draws)|money_short|share"),
          printed("list|list", "QALYs|qalys", "cost, US$|cost", "net health|net_health", "best in|chance_best",
                   "loss|expected_loss", "delivered|delivered"), first(25)),
    Table("holds", "What each list holds", "one list of the finite set and one line that it holds",
          columns("List|list") + LINE),
    Table("acceptability", "Acceptability", "one threshold and one list",
          columns("Threshold (USD per QALY)|threshold|cost_per_qaly", "List|list", "Best (share of draws)|chance_best|share")),
    Table("information", "Value of information", "what knowing a number, a group or all of them would be worth",
          columns("Kind|kind", "Name|name", "In words|words", "Worth (QALYs a year)|qalys|qalys",
                  "Worth (USD a year)|usd|usd", "Standard error (QALYs)|standard_error|qalys",
                  "Numbers|parameters|count", "Grade|quality"),
          printed("what|name", "kind|kind", "QALYs|qalys", "US$|usd", "grade|quality"), first(15, lambda r: r["qalys"] > 0)),
    Table("outcomes", "Outcomes", "health (QALYs a year) or cost (USD a year) of the plan, and of planning again in every draw",
          columns("List|list", "Measure (qalys: QALYs a year; cost: USD a year)|measure", *SPREAD),
          printed("list|list", "measure|measure", "mean|mean", "low|low", "median|median", "high|high"), first(8)),
    Table("prices", "Prices that pay",
          "one therapy: the highest cost of a course (USD) that pays, that drug alone bearing its whole test",
          LINE + columns("Therapy id|therapy", "Therapy|therapy_name", "Cost of a course today (USD)|course_cost|usd", *SPREAD,
                         "Pays today (share of draws)|chance_pays_today|share")),
)
COMPARE = (
    Table("outcomes", "Outcomes", "one plan; today's practice first",
          columns("Plan|plan", "Place|place", "Reference|is_reference", *TOTALS,
                  "DALYs averted (a year, a proxy)|dalys_averted|qalys", *PEOPLE, "Note|note"),
          printed("plan|plan", "place|place", "QALYs|qalys", "treated|patients_treated", "tests, US$|testing_cost",
                   "drugs, US$|treatment_cost", "lines|lines_funded", "US$/QALY|cost_per_qaly"), first(25)),
    Table("changes", "Changes", "one line that entered, left or changed against the first plan",
          columns("Plan|plan") + KEYS
          + columns("Change|change", "Coverage before (share)|coverage_before|share", "Rank before|rank_before|count",
                    "Priority before|tier_before", "Coverage after (share)|coverage_after|share", "Rank after|rank_after|count",
                    "Priority after|tier_after", "Because of|because", "Reason in the list|reason"),
          printed("plan|plan", *WHO, "change|change", "before|coverage_before", "after|coverage_after", "because of|because"),
          with_tiers),
    Table("today", "Against today", "one plan and one line whose testing today is known",
          columns("Plan|plan") + KEYS
          + columns("Change|change", "Coverage today (share)|coverage_today|share",
                    "Coverage in the plan (share)|coverage_after|share", "Rank|rank_after|count",
                    "Because of|because", "Reason in the list|reason"),
          printed("plan|plan", *WHO, "change|change", "today|coverage_today", "in the plan|coverage_after",
                   "because of|because"), first(20)),
    Table("lines", "Lines", "one plan and one line",
          columns("Plan|plan") + KEYS
          + columns("Rank|rank|count", "Coverage (share)|coverage|share", "Funded|funded", "In the plan|in_plan",
                    "Priority|priority_tier", "Coverage today (share)|coverage_today|share",
                    TREATED, QALYS, "Testing cost (USD a year)|testing_cost|usd")),
    Table("settings", "Settings", "one difference of a scenario from the first", columns("Plan|plan", "Difference|difference"),
          printed("plan|plan", "difference|difference"), first(25)),
    Table("evidence", "Evidence", "rows about one thing that differ between two versions, and the lines that they move alone",
          columns("Table|table", "About|about", "Rows before|rows_before|count", "Rows after|rows_after|count", "In words|words",
                  "Tried alone|tried", "Lines that it moves|lines"),
          printed("difference|words", "tried|tried", "lines that it moves|lines"), first(25)),
    Table("because", "Causes of changes", "one plan, one line that changed and one of its causes",
          columns("Plan|plan") + KEYS + columns("Change|change", "Because of|because")),
    Table("today_because", "Causes against today", "one plan, one line tested otherwise than today and one of its causes",
          columns("Plan|plan") + KEYS + columns("Change|change", "Because of|because")),
    Table("moved", "Lines that evidence moves", "rows of the evidence about one thing and one line that they move alone",
          columns("Table|table", "About|about", "Indication id|indication_id", "Biomarker id|biomarker_id")),
)
BATCH = (
    Table("countries", "Countries", "one country: totals of its plan, or why there is none",
          columns("Code|country", "Country|name", *TOTALS, *PEOPLE, "Note|note"),
          printed("country|name", "QALYs|qalys", "tested|patients_tested", "treated|patients_treated", "tests, US$|testing_cost",
                   "drugs, US$|treatment_cost", "lines|lines_funded", "US$/QALY|cost_per_qaly", "note|note"), first(250)),
    Table("use_cases", "By line", "one line: in how many countries it has which priority",
          KEYS + columns("Countries|countries|count", "Funded in|funded|count", QALYS,
                         "Core|core|count", "Expand when money grows|expand|count", "Worth it at a lower price|lower_price|count",
                         "When the drug can be got|when_drug|count", "Research only|research_only|count",
                         "Not now|not_now|count"),
          printed(*WHO, "funded in|funded", "core|core", "expand|expand", "lower price|lower_price", "QALYs|qalys"),
          first(40, lambda r: r["funded"])),
    Table("lines", "Lines funded", "one country and one line that it would fund",
          columns("Code|country", "Rank|rank|count") + KEYS
          + columns("Priority|priority_tier", "Funded|funded", "Coverage (share)|coverage|share",
                    "Tested (people a year)|patients_tested|people", TREATED, QALYS, *MONEY,
                    "Cost per QALY (USD)|cost_per_qaly|cost_per_qaly")),
    Table("uncertainty", "How sure each line is", "one country and one line: share of draws in which it is in (with draws only)",
          columns("Code|country", "Biomarker|short_name", "Indication id|indication_id", "Biomarker id|biomarker_id",
                  "In the list (share of draws)|share_in|share", "Priority where it is not sure|robust_tier")),
)
# by command; of each the first table is the one that a CSV holds
TABLES: dict[str, tuple[Table, ...]] = {
    "frontier": FRONTIER, "switching": SWITCHING, "access": ACCESS, "alternatives": ALTERNATIVES,
    "sensitivity": SENSITIVITY, "uncertainty": UNCERTAINTY, "compare": COMPARE, "batch": BATCH,
}
