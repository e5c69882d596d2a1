"""Checks of pathways and laboratories: every step can be reached, every assay has a platform, runs are possible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from planner.errors import Issue
from planner.evidence.dictionary import Dictionary
from planner.evidence.tables import at, row_words

Frames = Mapping[str, pd.DataFrame]
ALL = "*"
STEP = ("step", "assay_id", "biomarker_id", "on", "sample")


def check_pathways(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """A pathway starts with everybody, has each step once, and waits only for results that steps before it give."""
    answers = _answers(frames)
    issues = []
    for service, rows in _pathways(frames):
        issues += _repeated(service, rows) + _waiting(service, rows, answers)
    return issues


def _repeated(service: str, rows: list[dict]) -> list[Issue]:
    """Two runs under one step number; one run under two."""
    issues = []
    for n, row in enumerate(rows):
        for other in rows[:n]:
            one_step = row["step"] == other["step"]
            if one_step and any(row[c] != other[c] for c in ("assay_id", "on", "sample")):
                issues.append(Issue(
                    f"{at('pathways', row['label'])}, step",
                    f"step {row['step']} of {service} is already {other['assay_id']} on {other['on']} in "
                    f"{row_words(other['label'])}, here {row['assay_id']} on {row['on']}",
                    "give each run a number of its own; rows of one step name the same assay, condition and sample",
                    "step_number"))
                break
            same = all(row[c] == other[c] for c in ("assay_id", "sample"))
            if same and _meet({row["biomarker_id"]}, {other["biomarker_id"]}) \
                    and not (one_step and row["biomarker_id"] == other["biomarker_id"]):  # the key stands twice
                issues.append(Issue(
                    f"{at('pathways', row['label'])}, assay_id",
                    f"{row['assay_id']} for {_of(row['biomarker_id'])} on the {row['sample']} sample is already step "
                    f"{other['step']} of {service} ({row_words(other['label'])})",
                    "drop one of the two, or name another assay, biomarker or sample", "step_again"))
                break
    return issues


def _waiting(service: str, rows: list[dict], answers: dict[str, set[str]]) -> list[Issue]:
    """Steps whose condition no step before can meet."""
    issues = []
    for row in rows:
        before = [r for r in rows if r["step"] < row["step"]]
        where = f"{at('pathways', row['label'])}, on"
        if row["on"] == "all":
            continue
        if not before:
            issues.append(Issue(
                where, f"step {row['step']} of {service} waits for `{row['on']}`, but no step comes before it, so that "
                "it can never be reached", "give the first step `all`, or number it after the step that it waits for",
                "never_reached"))
        elif row["on"] != "negative" and not any(_meet(_asked(r, answers), _asked(row, answers)) for r in before):
            issues.append(Issue(
                where, f"step {row['step']} of {service} waits for `{row['on']}` of {_of(row['biomarker_id'])}, but no "
                "step before it answers that", "name the biomarker of an earlier step, or change the condition",
                "unanswered"))
    return issues


def check_reached(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """A step on `equivocal` follows an assay that can be equivocal for its biomarker."""
    if not {"pathways", "assay_performance"} <= set(frames):
        return []
    table, answers = frames["assay_performance"], _answers(frames)
    open_ = table[(table[["equivocal_carrier", "equivocal_noncarrier"]] > 0).any(axis=1)]
    unclear = set(open_[["assay_id", "biomarker_id"]].itertuples(index=False, name=None))
    return [
        Issue(f"{at('pathways', row['label'])}, on",
              f"step {row['step']} of {service} waits for `equivocal`, but no assay before it has a share of equivocal "
              f"results for {_of(row['biomarker_id'])}, so that it can never be reached",
              "fill equivocal_carrier and equivocal_noncarrier in assay_performance, or change the condition",
              "never_reached")
        for service, rows in _pathways(frames) for row in rows
        if row["on"] == "equivocal" and not any(
            (r["assay_id"], b) in unclear for r in rows if r["step"] < row["step"]
            for b in _asked(r, answers) if _meet({b}, _asked(row, answers)))
    ]


def check_accuracy(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """An assay has an accuracy for every biomarker that a step names, in every indication of the service."""
    if not {"pathways", "services", "assay_performance"} <= set(frames):
        return []
    known = set(frames["assay_performance"][["assay_id", "biomarker_id", "indication_id"]]
                .itertuples(index=False, name=None))
    anywhere = {k[:2] for k in known}
    scopes: dict[str, list[str]] = {}
    for service, scope in frames["services"][["service_id", "indication_id"]].dropna().itertuples(index=False, name=None):
        scopes.setdefault(service, []).append(scope)
    issues = []
    for service, rows in _pathways(frames):
        for row in rows:
            key = (row["assay_id"], row["biomarker_id"])
            lacking = [] if key[1] == ALL else [
                s for s in scopes.get(service, ())
                if not (key in anywhere if s == ALL else {(*key, s), (*key, ALL)} & known)]
            if lacking:
                issues.append(Issue(
                    f"{at('pathways', row['label'])}, biomarker_id",
                    f"{service}: {key[0]} has no accuracy for {key[1]} in {', '.join(sorted(lacking))}",
                    "add it to assay_performance, or take the indication from services", "no_accuracy"))
    return issues


def check_platforms(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """Every assay that has reagents of its own has a platform."""
    if not {"assay_variable_costs", "assay_platforms"} <= set(frames):
        return []
    known = set(frames["assay_platforms"]["assay_id"].dropna())
    bare = frames["assay_variable_costs"]["assay_id"].dropna().drop_duplicates()
    return [
        Issue(f"{at('assay_variable_costs', row)}, assay_id",
              f"{assay!r} has reagents here, but no platform in assay_platforms",
              f"add a row for {assay} to assay_platforms (`send_out_only` where it is bought by the test), or take its "
              "rows out of assay_variable_costs", "no_platform")
        for row, assay in bare.items() if assay not in known
    ]


def bought_only(frames: Frames) -> dict[str, str]:
    """Assays that no home laboratory could ever run, and what they lack: no fault, since they are bought at their price.
    Those said to be sold by one central laboratory (`send_out`) lack nothing."""
    if not {"assays", "assay_platforms", "assay_variable_costs"} <= set(frames):
        return {}
    placed = frames["assay_platforms"][["assay_id", "platform_id"]].dropna()
    kinds = frames["platforms"] if "platforms" in frames else pd.DataFrame(columns=["platform_id", "kind"])
    firms = set(kinds.loc[kinds["kind"] == "send_out", "platform_id"])
    reagents = set(frames["assay_variable_costs"]["assay_id"].dropna())
    out = {}
    for assay in sorted(frames["assays"]["assay_id"].dropna()):
        there = set(placed.loc[placed["assay_id"] == assay, "platform_id"])
        if there and there <= firms:
            continue
        lacks = [word for word, lacking in (("platform", not there), ("reagents", assay not in reagents)) if lacking]
        if lacks:
            out[assay] = "no " + " and no ".join(lacks)
    return out


def check_runs(frames: Frames, dictionary: Dictionary) -> list[Issue]:
    """A run can hold the patients it waits for, and no more patients than the platform has positions."""
    if "assay_platforms" not in frames:
        return []
    positions = {}
    if "platforms" in frames:
        positions = dict(frames["platforms"][["platform_id", "samples_per_run"]].dropna()
                         .itertuples(index=False, name=None))
    issues = []
    for label, row in frames["assay_platforms"].dropna(subset=["samples_per_run"]).iterrows():
        holds, where = row["samples_per_run"], at("assay_platforms", label)
        what = f"{row['assay_id']} on {row['platform_id']}"
        if not pd.isna(row["minimum_samples"]) and row["minimum_samples"] > holds:
            issues.append(Issue(
                f"{where}, minimum_samples", f"{what} waits for {row['minimum_samples']:g} patients, but a run holds "
                f"{holds:g} (samples_per_run)", "lower minimum_samples, or correct samples_per_run", "volume"))
        if holds > positions.get(row["platform_id"], holds):
            issues.append(Issue(
                f"{where}, samples_per_run", f"{what}: {holds:g} patients a run, but the platform has "
                f"{positions[row['platform_id']]:g} positions", "correct samples_per_run here or in platforms", "volume"))
    return issues


# -- words and look-ups ------------------------------------------------------------------------------

def _pathways(frames: Frames) -> Iterator[tuple[str, list[dict]]]:
    """Service and its rows by step, each with its label; pathways with a faulty cell are left out."""
    frame = frames.get("pathways")
    if frame is None:
        return
    for service, rows in frame.groupby("service_id", sort=True):
        if not rows[list(STEP)].isna().any(axis=None):
            rows = rows.sort_values("step", kind="stable")
            yield service, [{**dict(zip(STEP, cells, strict=True)), "label": label} for label, cells in zip(
                rows.index, rows[list(STEP)].itertuples(index=False, name=None), strict=True)]


def _answers(frames: Frames) -> dict[str, set[str]]:
    """Biomarkers for which an assay has an accuracy in any indication."""
    answers: dict[str, set[str]] = {}
    if "assay_performance" in frames:
        pairs = frames["assay_performance"][["assay_id", "biomarker_id"]].dropna()
        for assay, biomarker in pairs.itertuples(index=False, name=None):
            answers.setdefault(assay, set()).add(biomarker)
    return answers


def _asked(row: dict, answers: dict[str, set[str]]) -> set[str]:
    """Biomarkers that a step answers; ``*`` where nothing is known of its assay."""
    return answers.get(row["assay_id"], {ALL}) if row["biomarker_id"] == ALL else {row["biomarker_id"]}


def _meet(some: set[str], others: set[str]) -> bool:
    """Whether the two have a biomarker in common."""
    return ALL in some or ALL in others or bool(some & others)


def _of(biomarker: str) -> str:
    return "any biomarker that it answers" if biomarker == ALL else biomarker
