"""Rwanda by hand: three lines from new cases to health and money, from the CSV files alone.

Nothing of the planner is imported and none of its code is used: the steps below are those of
docs/method.md, written a second time by another hand. ``python -m tests.golden.by_hand`` prints them.

Setting: Rwanda, one year, no limit on money, everything but three lines excluded, and two services
taken off the table, so that HER2 is read by a stain with hybridisation of what the stain leaves open.
"""

from __future__ import annotations

import csv
import json
import math
from itertools import product
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "data"
COUNTRY = "RWA"
RATE, MARKUP, COVERAGE, GATE = 0.03, 0.2, 0.9, 2
# Line -> the service that answers it here.
LINES = {
    "breast_early/er_pr": "er_pr_ihc",
    "breast_early/her2": "her2_ihc_reflex_ish",
    "cml/bcr_abl1": "bcr_abl1_rtpcr_qual",
}
SERVICES_OFF = ("her2_ish", "xpert_breast_strat4", "bcr_abl1_fish", "karyotype")
CAPS = {"country": 200, "un_subregion": 50, "un_region": 40, "who_region": 30, "income_group": 30, "world": 20}
PAYERS = ("public", "insurer", "donor", "household")


class Book:
    """The CSV files, and a log of every row that was read for a number."""

    def __init__(self, data: Path = DATA):
        self.data, self.tables, self.used = Path(data), {}, {}
        package = json.loads((self.data / "datapackage.json").read_text("utf-8"))
        self.base_year = _find(package, "base_year")
        self.here = self.one("countries", log=None, iso3=COUNTRY)
        self.levels = [("country", COUNTRY)] + [
            (level, self.here[level]) for level in ("un_subregion", "un_region", "who_region", "income_group")
        ] + [("world", "world")]

    def rows(self, table: str, **key) -> list[dict]:
        if table not in self.tables:
            with (self.data / f"{table}.csv").open(encoding="utf-8", newline="") as file:
                self.tables[table] = list(csv.DictReader(file))
        return [r for r in self.tables[table] if all(r[k] == v for k, v in key.items())]

    def one(self, table: str, log: str | None, **key) -> dict:
        found = self.rows(table, **key)
        assert len(found) == 1, (table, key, len(found))
        if log:
            self.note(table, key, log, found[0])
        return found[0]

    def note(self, table: str, key: dict, column: str, row: dict) -> None:
        """Log a cell once, in the order of use."""
        words = "/".join(key.values())
        if row.get("stratum"):
            words += f" @ {row['stratum']}"
        source = row["duration_source_id" if column == "duration_months" else "source_id"]
        self.used[table, words, column, row[column], source] = None

    def level(self, table: str, column: str | None = None, all_levels: bool = False, **key) -> list:
        """Rows of the nearest level that has any (a row for the very key beats a ``*`` row); or the
        list of (level, rows) of all levels."""
        found = []
        for kind, stratum in self.levels:
            wild = sorted(product(*[(v, "*") for v in key.values()]), key=lambda o: o.count("*"))
            for values in wild:
                rows = self.rows(table, stratum_type=kind, stratum=stratum,
                                 **dict(zip(key, values, strict=True)))
                if rows:
                    found.append((kind, rows))
                    break
            if found and not all_levels:
                break
        for _, rows in found:
            for row in rows if column else ():
                self.note(table, {k: row[k] for k in key}, column, row)
        return found if all_levels else (found[0][1] if found else [])

    # -- numbers ---------------------------------------------------------------------------------

    def share(self, table: str, column: str, **key) -> float:
        """Nearest level; several studies weigh by size where all state it."""
        rows = self.level(table, column, **key)
        assert rows, (table, key)
        sizes = [float(r.get("n") or 0) for r in rows]
        weights = sizes if all(sizes) else [1.0] * len(rows)
        return sum(float(r[column]) * w for r, w in zip(rows, weights, strict=True)) / sum(weights)

    def pooled(self, table: str, column: str, **key) -> float:
        """Levels from the world inwards, each the power prior of the next (decision 9)."""
        share, people = 0.0, 0.0
        for kind, rows in reversed(self.level(table, column, all_levels=True, **key)):
            sizes = [float(r.get("n") or 30) for r in rows]
            weights = [min(n, CAPS[kind]) for n in sizes]
            own = min(sum(sizes), CAPS[kind])
            mean = sum(float(r[column]) * w for r, w in zip(rows, weights, strict=True)) / sum(weights)
            prior = people * people / (people + own)
            share, people = (share * prior + mean * own) / (prior + own), prior + own
            if kind != "country":
                people = min(people, CAPS[kind])
        return share

    def usd(self, amount: float, currency: str, year: str) -> float:
        """Dollars of the price year, then of the base year."""
        rate, then, now = 1.0, None, None
        if currency != "USD":
            rate = float(self.one("exchange_rates", "per_usd", currency=currency, year=year)["per_usd"])
        if int(year) != self.base_year:
            then = float(self.one("deflators", "index", year=year)["index"])
            now = float(self.one("deflators", "index", year=str(self.base_year))["index"])
        return amount / rate * (now / then if then else 1.0)

    def cost(self, table: str, **key) -> float:
        """A local cost, carried to this price level where it comes from elsewhere."""
        rows = self.level(table, "cost", **key)
        assert rows, (table, key)
        total = 0.0
        for row in rows:
            usd = self.usd(float(row["cost"]), row["currency"], row["year"])
            head = row["note"].split(";")[0].strip()
            if row["stratum_type"] != "country" and head.startswith("origin="):
                there = self.one("countries", "price_level", iso3=head.removeprefix("origin=").strip())
                ratio = float(self.here["price_level"]) / float(there["price_level"])
                traded = float(row["traded_share"])
                usd = usd * traded * (1 + MARKUP) + usd * (1 - traded) * ratio
            total += usd
        return total / len(rows)


def _find(tree, name):
    """First value of a key anywhere in a JSON document."""
    if isinstance(tree, dict):
        if name in tree:
            return int(tree[name])
        tree = list(tree.values())
    if isinstance(tree, list):
        for branch in tree:
            if isinstance(branch, (dict, list)):
                found = _find(branch, name)
                if found is not None:
                    return found
    return None


def present_value(years: float) -> float:
    """One unit a year for so many years, paid continuously, at 3 % a year."""
    return (1 - 1.03 ** -years) / math.log(1.03)


# -- the steps ---------------------------------------------------------------------------------------


def patients(book: Book, indication: dict) -> dict:
    """Step 1: new cases x shares of the eligibility steps."""
    site = book.one("cancer_sites", None, cancer_site=indication["cancer_site"])
    out = {"rate": None, "steps": [], "sex": site["sex"]}
    if site["basis"] == "rate":  # per 100,000 people, from the nearest level
        out["people"] = float(book.one("countries", "population", iso3=COUNTRY)["population"])
        out["rate"] = book.share("incidence_rates", "rate", cancer_site=site["cancer_site"])
        cases = out["rate"] * out["people"] / 100_000
    else:
        assert site["basis"] == "counts"
        cases = float(book.one("incidence", "cases", stratum=COUNTRY, cancer_site=site["cancer_site"],
                               sex=site["sex"])["cases"])
    out["cases"] = cases
    eligible = cases
    for step in indication["eligibility_steps"].split(";"):
        assert step != "relapse"
        share = book.share("eligibility", "share", indication_id=indication["indication_id"], step=step)
        out["steps"].append((step, share))
        eligible *= share
    return out | {"eligible": eligible}


def service(book: Book, name: str, indication: dict, biomarker: str, prevalence: float) -> dict:
    """Step 2: cost, usable results in time, sensitivity and specificity over the pathway's branches."""
    steps = sorted(book.rows("pathways", service_id=name), key=lambda r: int(r["step"]))
    assays = []
    for s in steps:
        row = book.one("assays", "failure", assay_id=s["assay_id"])
        book.note("assays", {"assay_id": s["assay_id"]}, "turnaround_days", row)
        scope = indication["indication_id"]
        if not book.rows("assay_performance", assay_id=s["assay_id"], biomarker_id=biomarker, indication_id=scope):
            scope = "*"
        key = {"assay_id": s["assay_id"], "biomarker_id": biomarker, "indication_id": scope}
        seen = book.one("assay_performance", "sensitivity", **key)
        book.note("assay_performance", key, "specificity", seen)
        open_ = {True: float(seen["equivocal_carrier"] or 0), False: float(seen["equivocal_noncarrier"] or 0)}
        for c, column in ((True, "equivocal_carrier"), (False, "equivocal_noncarrier")):
            if open_[c]:
                book.note("assay_performance", key, column, seen)
        yes = {True: float(seen["sensitivity"]), False: 1 - float(seen["specificity"]) - open_[False]}
        assays.append({
            "assay": s["assay_id"], "on": s["on"], "fails": float(row["failure"]),
            "days": float(row["turnaround_days"]), "slides": float(row["slides"] or 0),
            "cost": book.cost("assay_costs", assay_id=s["assay_id"]),
            "positive": yes, "equivocal": open_, "negative": {c: 1 - yes[c] - open_[c] for c in yes},
        })
    assert len(assays) == 1 or (len(assays) == 2 and assays[1]["on"] == "equivocal")
    lost = float(indication["attrition_per_day"])
    tissue = left(book, indication, assays[0]["slides"], assays[1]["slides"]) if len(assays) == 2 else 1.0
    kinds = {}
    for carrier in (True, False):
        a = assays[0]
        good = 1 - a["fails"]
        in_time = math.exp(-lost * a["days"])
        called, unread, runs = good * a["positive"][carrier], 0.0, 0.0
        timely, called_in_time = good * in_time, called * in_time
        if len(assays) == 2:
            b = assays[1]
            late = math.exp(-lost * (a["days"] + b["days"]))
            asked = good * a["equivocal"][carrier]
            runs = asked * tissue
            read = runs * (1 - b["fails"])
            unread = asked - read
            called += read * b["positive"][carrier]
            called_in_time += read * b["positive"][carrier] * late
            timely += read * late - asked * in_time
        usable = good - unread
        kinds[carrier] = {"usable": usable, "called": called, "timely": timely, "second": runs,
                          "called_in_time": called_in_time}
    weigh = {True: prevalence, False: 1 - prevalence}
    second = sum(weigh[c] * kinds[c]["second"] for c in weigh)
    eta = sum(weigh[c] * kinds[c]["timely"] for c in weigh)
    # by the results in time of all, so that eta x prevalence x se are the carriers called, branch by branch
    se = kinds[True]["called_in_time"] / eta
    sp = 1 - kinds[False]["called_in_time"] / eta
    return {
        "service": name, "assays": assays, "kinds": kinds, "second": second, "eta": eta, "se": se, "sp": sp,
        "cost": assays[0]["cost"] + (second * assays[1]["cost"] if len(assays) == 2 else 0.0),
        "usable": sum(weigh[c] * kinds[c]["usable"] for c in weigh),
        "positive": eta * (prevalence * se + (1 - prevalence) * (1 - sp)),
        # the same without the product eta x Se, every branch with its own wait
        "positive_by_branch": sum(weigh[c] * kinds[c]["called_in_time"] for c in weigh),
    }


def left(book: Book, indication: dict, first: float, second: float) -> float:
    """Share of samples with slides for a second test, among those that had enough for the first."""
    points = [(0.0, 1.0)]
    for r in sorted(book.rows("tissue", indication_id=indication["indication_id"]), key=lambda r: float(r["slides"])):
        book.note("tissue", {"indication_id": indication["indication_id"], "slides": r["slides"]}, "share_with_at_least", r)
        points.append((float(r["slides"]), float(r["share_with_at_least"])))

    def enough(n: float) -> float:
        below = max((p for p in points if p[0] <= n), key=lambda p: p[0])
        above = min((p for p in points if p[0] >= n), key=lambda p: p[0])
        return below[1] if below == above else below[1] + (above[1] - below[1]) * (n - below[0]) / (above[0] - below[0])

    return enough(first + second) / enough(max(first, second))


def remaining(book: Book, indication: dict, sex: str) -> dict:
    """Step 3a: remaining life at the usual age, linear between the ages of the table."""
    age = float(indication["usual_age"])
    table = [(float(r["age"]), float(r["remaining_years"]), r)
             for r in book.rows("life_table", iso3=COUNTRY, sex=sex)]
    below = max((t for t in table if t[0] <= age), key=lambda t: t[0])
    above = min((t for t in table if t[0] >= age), key=lambda t: t[0])
    for t in (below, above):
        book.note("life_table", {"iso3": COUNTRY, "sex": sex, "age": t[2]["age"]}, "remaining_years", t[2])
    part = 0.0 if above[0] == below[0] else (age - below[0]) / (above[0] - below[0])
    return {"age": age, "below": below[:2], "above": above[:2], "years": below[1] + part * (above[1] - below[1])}


def effect(book: Book, row: dict, life: float) -> dict:
    """Step 3b: QALYs per treated carrier against no matched drug."""
    key = {"therapy_id": row["therapy_id"]}
    out = {"kind": row["effect_kind"], "below": 0.0}
    if row["effect_kind"] == "published_gain":
        book.note("therapies", key, "qaly_gain", row)
        out["own"] = float(row["qaly_gain"])
    else:
        assert row["effect_kind"] in ("risk_ratio_cure", "landmark_cure"), row["effect_kind"]
        weight = float(book.one("utilities", "utility", indication_id=row["indication_id"],
                                state=row["utility_state"])["utility"])
        control, at = float(row["landmark_ctl"]), float(row["landmark_years"])
        for column in ("landmark_years", "landmark_ctl"):
            book.note("therapies", key, column, row)
        if row["effect_kind"] == "risk_ratio_cure":
            book.note("therapies", key, "death_rr", row)
            alive = 1 - (1 - control) * float(row["death_rr"])
        else:
            book.note("therapies", key, "landmark_exp", row)
            alive = float(row["landmark_exp"])
        more = alive - control
        per_cure = present_value(life) - present_value(min(at / 2, life))
        out |= {"alive": alive, "control": control, "at": at, "per_cure": per_cure, "weight": weight,
                "years": more * per_cure, "own": more * per_cure * weight}
    if row["builds_on"]:
        out["below"] = effect(book, book.one("therapies", None, therapy_id=row["builds_on"]), life)["h"]
        out["on"] = row["builds_on"]
    out["h"] = out["own"] + out["below"]
    out["hneg"] = out["own"] * float(row["noncarrier_gain_ratio"])
    assert float(row["noncarrier_gain_ratio"]) == 0
    return out


def course(book: Book, drugs: list[tuple[str, float]], indication: str) -> dict:
    """Step 4: drug with wastage, administration, monitoring; undiscounted and discounted."""
    cash = discounted = 0.0
    parts = []
    for drug, months in drugs:
        scope = indication if book.rows("dosing", drug=drug, indication_id=indication) else "*"
        dose = book.one("dosing", "amount_per_month", drug=drug, indication_id=scope)
        prices = book.level("drug_prices", None, drug=drug)
        assert len({r["unit"] for r in prices} | {dose["unit"]}) == 1
        priced = sorted((book.usd(float(r["price"]), r["currency"], r["year"]), n) for n, r in enumerate(prices))
        book.note("drug_prices", {"drug": drug}, "price", prices[priced[0][1]])
        waste, loading = float(dose["wastage"]), float(dose["loading_amount"] or 0)
        price = priced[0][0] / (1 - waste)
        given = float(dose["administrations_per_month"])
        for column in ("wastage", "loading_amount", "administrations_per_month"):
            if float(dose[column] or 0):
                book.note("dosing", {"drug": drug, "indication_id": scope}, column, dose)
        infusion = book.cost("administration_costs", item="infusion") if given else 0.0
        monthly = float(dose["amount_per_month"]) * price + given * infusion
        parts.append({"drug": drug, "months": months, "amount": float(dose["amount_per_month"]),
                      "loading": loading, "unit": dose["unit"], "price": priced[0][0], "waste": waste,
                      "given": given, "infusion": infusion, "monthly": monthly})
        cash += monthly * months + loading * price
        discounted += 12 * monthly * present_value(months / 12) + loading * price
    kinds = [book.one("drugs", None, drug=d) for d, _ in drugs]
    oral = all(k["route"] == "oral" for k in kinds)
    endocrine = all(k["drug_class"].lower().startswith("endocrine") for k in kinds)
    watch = book.cost("administration_costs",
                      item="endocrine_month" if endocrine else "oral_month" if oral else "infusion_month")
    echo = 0.0
    if any(k["drug_class"].lower().startswith("her2") and k["route"] != "oral" for k in kinds):
        echo = book.cost("administration_costs", item="echocardiogram")
    longest = max(m for _, m in drugs)
    cash += (watch + echo / 3) * longest
    discounted += 12 * (watch + echo / 3) * present_value(longest / 12)
    return {"parts": parts, "watch": watch, "echo": echo, "months": longest, "cash": cash, "discounted": discounted}


def access(book: Book, drug: str, indication: str, care: float) -> dict:
    """Step 5: share of those in need who get the drug, by payer, from the nearest level only."""
    found = {}
    for payer in PAYERS:
        rows = book.level("drug_access", None, drug=drug, indication_id=indication, payer=payer)
        if rows:
            found[payer] = rows
    place = {p: depth(book, rows[0]) for p, rows in found.items()}
    best = min(place.values())
    out, fit = {}, True
    for payer, rows in found.items():
        if place[payer] > best:
            continue
        assert len({r["includes"] for r in rows}) == 1
        includes = rows[0]["includes"].split(";")
        fit = fit and "fit" in includes  # not there: the unfit are already among those without the drug
        for row in rows:
            book.note("drug_access", {"drug": drug, "indication_id": row["indication_id"], "payer": payer},
                      "share", row)
        value = sum(float(r["share"]) for r in rows) / len(rows)
        out[payer] = value if "care" in includes else min(1.0, value / care)
    assert sum(out.values()) <= 1
    return {"payers": out, "share": sum(out.values()), "among_fit": fit}


def depth(book: Book, row: dict) -> int:
    return book.levels.index((row["stratum_type"], row["stratum"]))


def therapies(book: Book, line: str, indication: dict, life: float, care: float, fit: float) -> list[dict]:
    """Effect, course and access of every therapy of a line that passes the gate."""
    where, biomarker = line.split("/")
    rows = {r["therapy_id"]: r for r in book.rows("therapies", indication_id=where, biomarker_id=biomarker)}
    out = []
    for name, row in sorted(rows.items()):
        assert row["role"] == "selects" and int(row["level"]) <= GATE
        months = float(row["duration_months"])
        cap = float(row["duration_max_months"]) if row["duration_max_months"] else None
        book.note("therapies", {"therapy_id": name}, "duration_months", row)
        if row["duration_kind"] == "median":
            mean = months / math.log(2)
            months = mean * (1 - math.exp(-cap / mean)) if cap else mean
        elif cap:
            months = min(months, cap)
        drugs = {"added": [], "backbone": [], "comparator": []}
        for d in book.rows("therapy_drugs", therapy_id=name):
            drugs[d["part"]].append((d["drug"], float(d["months"] or months)))
        if row["builds_on"]:
            under = {d["drug"] for d in book.rows("therapy_drugs", therapy_id=row["builds_on"], part="added")}
            drugs["added"] += [d for d in drugs["backbone"] if d[0] in under]
        gross = course(book, drugs["added"], where)
        basis = book.one("comparators", None, comparator_id=row["comparator_id"])["cost_basis"]
        assert basis in ("none", "backbone", "drugs")
        saved = course(book, drugs["comparator"], where) if basis == "drugs" else None
        reach = {d: access(book, d, where, care) for d, _ in drugs["added"]}
        scarce = min(reach.values(), key=lambda r: r["share"])
        blind = book.share("empirical_use", "share", therapy_id=name)
        sub = float(row["sub_share"])
        out.append({
            "therapy": name, "months": months, "effect": effect(book, row, life), "course": gross,
            "saved": saved, "m": gross["discounted"] - (saved["discounted"] if saved else 0.0),
            "payers": scarce["payers"], "alpha": scarce["share"], "sub": sub, "reach": scarce["share"] * sub,
            "fit": fit if all(r["among_fit"] for r in reach.values()) else 1.0,
            "blind_read": blind, "group": row["line_group"],
        })
    assert len({t["group"] for t in out}) == 1
    used = 0.0  # blind use obeys the nested access, scarcest drug first
    for t in sorted(out, key=lambda t: (t["reach"], t["therapy"])):
        t["u0"] = min(t["blind_read"], t["reach"], max(0.0, t["reach"] - used))
        used += t["u0"]
    return out


def given(options: list[dict]) -> None:
    """Step 6: shares of those called positive who get each drug. Larger gain first (the cheaper course
    of two equals), as far as nested access goes: the n scarcest drugs together serve no more people than
    the commonest of them reaches."""
    ladder = sorted(options, key=lambda t: (t["reach"], t["therapy"]))
    for t in ladder:
        t["x"] = 0.0
    for t in sorted(options, key=lambda t: (-round(t["fit"] * t["effect"]["h"], 12), t["course"]["cash"])):
        rungs = range(ladder.index(t), len(ladder))
        t["x"] = max(0.0, min(ladder[n]["reach"] - sum(o["x"] for o in ladder[: n + 1]) for n in rungs))


def where_it_pays(x: dict, threshold: float) -> dict:
    """Step 7: the line with its own service and only the drugs whose health is worth their cost (decision 8).

    Drugs that are not worth it are used no further than as many people as would have had one blind.
    """
    pi, who, test = x["prevalence"], x["true"] + x["false"], x["service"]["cost"] + x["workup"]
    ladder = sorted(x["therapies"], key=lambda t: (t["reach"], t["therapy"]))
    net = {t["therapy"]: t["fit"] * (x["true"] * t["effect"]["h"] - who * t["m"] / threshold) for t in ladder}
    used = dict.fromkeys(net, 0.0)
    for t in sorted(ladder, key=lambda t: -net[t["therapy"]]):
        room = min(ladder[n]["reach"] - sum(used[o["therapy"]] for o in ladder[: n + 1])
                   for n in range(ladder.index(t), len(ladder)))
        if net[t["therapy"]] <= 0:
            room = min(room, sum(o["u0"] for o in ladder) - sum(used.values()))
        used[t["therapy"]] = max(0.0, room)
    eta = x["service"]["eta"]
    qalys = eta * sum(t["fit"] * t["effect"]["h"] * (used[t["therapy"]] * x["true"] - t["u0"] * pi) for t in ladder)
    cost = test + eta * sum(t["fit"] * t["m"] * (used[t["therapy"]] * who - t["u0"]) for t in ladder)
    pays = qalys > 0 and qalys - cost / threshold >= 0
    return {"pays": pays, "ratio": cost / qalys if pays else None,
            "dear": {t["therapy"] for t in ladder if t["alpha"] > 0 and not used[t["therapy"]]} if pays else set()}


def line(book: Book, name: str, threshold: float) -> dict:
    """All steps of one line."""
    where, biomarker = name.split("/")
    indication = book.one("indications", "usual_age", indication_id=where)
    book.note("indications", {"indication_id": where}, "attrition_per_day", indication)
    assert not book.rows("overlap", indication_id=where, biomarker_id=biomarker)
    assert not book.rows("prerequisites", indication_id=where, biomarker_id=biomarker)  # asked in all
    who = patients(book, indication)
    care = dict(who["steps"]).get("reaches_care", 1.0)
    fit = book.share("eligibility", "share", indication_id=where, step="fit")
    pi = book.pooled("prevalence", "share", indication_id=where, biomarker_id=biomarker)
    test = service(book, LINES[name], indication, biomarker, pi)
    life = remaining(book, indication, who["sex"])
    options = therapies(book, name, indication, life["years"], care, fit)
    given(options)
    workup = book.cost("workup_costs", indication_id=where)

    tested = who["eligible"] * COVERAGE
    results = tested * test["eta"]
    true, false = pi * test["se"], (1 - pi) * (1 - test["sp"])
    out = {"line": name, "who": who, "fit": fit, "prevalence": pi, "service": test, "life": life,
           "therapies": options, "workup": workup, "true": true, "false": false, "results": results}
    readers = sum(other.split("/")[0] == where for other in LINES)  # one work-up serves all lines read
    final = {"coverage": COVERAGE, "patients_tested": tested, "positives_found": results * (true + false),
             "testing_cost": tested * (test["cost"] + workup / readers)}
    final |= {"patients_treated": 0.0, "treated_blind": 0.0, "qalys": 0.0, "treatment_cost": 0.0,
              "incremental_cost": 0.0}
    final |= {f"paid_by_{z}": 0.0 for z in PAYERS}
    for t in options:
        h, hneg = t["effect"]["h"], t["effect"]["hneg"]
        after = results * t["fit"] * t["x"] * (true + false)
        before = results * t["fit"] * t["u0"]
        t["treated"], t["blind"] = after, before
        t["gain"] = results * t["fit"] * (t["x"] * (true * h + false * hneg)
                                          - t["u0"] * (pi * h + (1 - pi) * hneg))
        final["patients_treated"] += after
        final["treated_blind"] += before
        final["qalys"] += t["gain"]
        final["treatment_cost"] += (after - before) * t["course"]["cash"]
        final["incremental_cost"] += (after - before) * t["m"]
        for z, share in t["payers"].items():
            final[f"paid_by_{z}"] += (after - before) * t["course"]["cash"] * share / t["alpha"]
    final["cost_per_qaly"] = (final["testing_cost"] + final["incremental_cost"]) / final["qalys"]
    return out | {"final": final, "worth": where_it_pays(out, threshold)}


def by_hand(data: Path = DATA) -> dict:
    """{"lines": {line: steps and final figures}, "totals", "used": rows read}."""
    book = Book(data)
    for column in ("income_group", "un_subregion", "un_region", "who_region", "price_level"):
        book.note("countries", {"iso3": COUNTRY}, column, book.here)
    book.note("countries", {"iso3": COUNTRY}, "threshold", book.here | {"source_id": book.here["threshold_source_id"]})
    threshold = book.usd(float(book.here["threshold"]), "USD", book.here["threshold_year"])
    lines, used = {}, {"country": list(book.used)}
    book.used = {}
    for name in LINES:
        lines[name] = line(book, name, threshold)
        used[name], book.used = list(book.used), {}
    final = [x["final"] for x in lines.values()]
    totals = {k: sum(f[k] for f in final) for k in ("testing_cost", "treatment_cost", "qalys",
                                                    "positives_found", "patients_treated", "treated_blind",
                                                    "incremental_cost")}
    cost = totals["testing_cost"] + totals["incremental_cost"]
    totals |= {"cost_per_qaly": cost / totals["qalys"], "net_health": totals["qalys"] - cost / threshold}
    # both breast lines are read in the same women
    totals["patients_tested"] = sum({x["line"].split("/")[0]: x["final"]["patients_tested"]
                                     for x in lines.values()}.values())
    return {"lines": lines, "totals": totals, "used": used, "base_year": book.base_year, "here": book.here,
            "threshold": threshold}


if __name__ == "__main__":
    done = by_hand()
    print(json.dumps({n: x["final"] for n, x in done["lines"].items()} | {"totals": done["totals"]}, indent=1))
