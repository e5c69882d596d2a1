"""Work beside the page: it ends with an answer, an error or a stop, and what is kept is bounded."""

from __future__ import annotations

import threading

import pytest

from planner.analysis.study import Analysis
from planner.errors import BadInput, Issue
from planner.ui import ask
from planner.ui.jobs import AT_ONCE, Board, Results, start
from tests.tiny import tiny_scenario

KEY = ("kind", 1)


def analysis(kind="frontier") -> Analysis:
    return Analysis(kind, tiny_scenario(), {}, {}, (), {})


def test_an_answer_is_kept_under_its_key():
    keep = Results(2)
    job = start(KEY, lambda progress: analysis(), keep)
    assert job.wait(10) and job.error is None and not job.stopped
    assert keep.get(KEY).kind == "frontier" and keep.get(("kind", 2)) is None


def test_the_progress_is_seen_and_stop_ends_it_without_an_answer():
    keep, seen = Results(2), threading.Event()

    def work(progress):
        for n in range(10**6):
            progress(n / 1000, "going")
            seen.set()
            threading.Event().wait(0.01)

    job = start(KEY, work, keep)
    assert seen.wait(10) and not job.done and job.words in ("going", "beginning")
    job.stop()
    assert job.wait(10) and job.stopped and keep.get(KEY) is None


def test_errors_are_held_for_the_page():
    def refuses(progress):
        raise BadInput(Issue("x", "y", "z"))

    def breaks(progress):
        raise ZeroDivisionError

    for work, kind in ((refuses, BadInput), (breaks, ZeroDivisionError)):
        job = start(KEY, work, Results(2))
        assert job.wait(10) and isinstance(job.error, kind)


def test_a_new_question_ends_the_old_one_and_no_more_run_than_the_machine_should():
    board, keep, running = Board(), Results(2), []

    def work(progress):
        running.append(1)
        while True:
            progress(0.5, "going")
            threading.Event().wait(0.01)

    jobs = [start(("other", n), work, keep) for n in range(AT_ONCE + 1)]
    threading.Event().wait(0.5)
    assert len(running) == AT_ONCE
    for job in jobs:
        job.stop()
    assert all(job.wait(10) for job in jobs)
    first = board.begin("kind", KEY, work, keep)
    second = board.begin("kind", ("kind", 2), work, keep)
    assert first.wait(10) and first.stopped and board.job("kind") is second
    board.stop_all()
    assert second.wait(10)


def test_the_answers_looked_at_longest_ago_go_first():
    keep = Results(2)
    for n in (1, 2):
        keep.put(("k", n), analysis())
    assert keep.get(("k", 1))
    keep.put(("k", 3), analysis())
    assert keep.get(("k", 2)) is None and keep.get(("k", 1)) and keep.get(("k", 3))


@pytest.mark.parametrize(("text", "marked"), [
    ("US$ 4,960,000 a year: 986 healthy years", "**US$ 4,960,000** a year: **986** healthy years"),
    ("HER2 at 43.9% (today 51.8%)", "HER2 at **43.9 %** (today **51.8 %**)"),
    ("stage I-III, PD-L1 and CDK4/6", "stage I-III, PD-L1 and CDK4/6"),
])
def test_numbers_of_a_sentence_are_bold_and_names_are_not(text, marked):
    assert ask.bold(text).replace("\\", "") == marked


def test_ids_in_sentences_become_names():
    known = {"breast_early": "Early breast cancer", "her2": "HER2", "drug_x": "Drug X"}
    assert ask.without_ids("breast_early/her2 must be funded", known) == "HER2 in Early breast cancer must be funded"
    assert ask.without_ids("drug_x with unknown_id", known) == "Drug X with unknown id"
