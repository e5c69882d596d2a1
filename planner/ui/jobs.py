"""Long work beside the page: a thread for each analysis, its progress, its end, and what is kept.

No streamlit here: a thread of this module never touches a page. The page looks at a :class:`Job` from
time to time (:mod:`planner.ui.ask`).
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from planner.analysis.study import Analysis, Progress, Stopped
from planner.errors import PlannerError
from planner.optimise.integer import searching

AT_ONCE = 2  # analyses that one machine computes at a time, whoever asks
WAITING = "waiting for its turn"
Key = tuple
Work = Callable[[Progress], Analysis]
log = logging.getLogger(__name__)
_turns = threading.BoundedSemaphore(AT_ONCE)


class Results:
    """Answers by what they were computed from; the ones not looked at longest go first."""

    def __init__(self, most: int):
        self._most, self._kept, self._lock = most, OrderedDict[Key, Analysis](), threading.Lock()

    def get(self, key: Key) -> Analysis | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Key, analysis: Analysis) -> None:
        with self._lock:
            self._kept[key] = analysis
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


@dataclass
class Job:
    """One analysis under way. ``share`` and ``words`` are its progress; after its end it is stopped, has
    an error, or its answer is among the results."""

    key: Key
    share: float = 0.0
    words: str = WAITING
    error: Exception | None = None
    stopped: bool = False
    _asked_to_stop: threading.Event = field(default_factory=threading.Event, repr=False)
    _done: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def done(self) -> bool:
        return self._done.is_set()

    def wait(self, seconds: float) -> bool:
        return self._done.wait(seconds)

    def stop(self) -> None:
        """Ask it to end; it does at its next look at the progress."""
        self._asked_to_stop.set()

    def progress(self, share: float, words: str) -> None:
        """What the analysis calls as it goes."""
        if self._asked_to_stop.is_set():
            raise Stopped
        self.share, self.words = min(1.0, max(0.0, float(share))), words


def start(key: Key, work: Work, keep: Results) -> Job:
    """Begin in a thread of its own that does not outlive the server."""
    job = Job(key)
    threading.Thread(target=_run, args=(job, work, keep), name=f"analysis {key[0]}", daemon=True).start()
    return job


def _run(job: Job, work: Work, keep: Results) -> None:
    try:
        while not _turns.acquire(timeout=0.2):
            job.progress(0.0, WAITING)
        try:
            job.progress(0.0, "beginning")
            with searching(job.progress) as progress:
                answer = work(progress)
            job.progress(1.0, "done")
            keep.put(job.key, answer)
        finally:
            _turns.release()
    except Stopped:
        job.stopped = True
    except PlannerError as error:
        job.error = error
    except Exception as error:  # told on the page without its text, which may hold anything
        log.exception("an analysis failed: %s", job.key[0])
        job.error = error
    finally:
        job._done.set()


class Board:
    """The work of one session: at most one job of a kind; what was last shown of each kind."""

    def __init__(self):
        self._jobs: dict[str, Job] = {}
        self.shown: dict[str, Analysis] = {}

    def job(self, kind: str) -> Job | None:
        return self._jobs.get(kind)

    def begin(self, kind: str, key: Key, work: Work, keep: Results) -> Job:
        """Start a job; an older one of its kind is no longer wanted."""
        self.forget(kind)
        self._jobs[kind] = start(key, work, keep)
        return self._jobs[kind]

    def forget(self, kind: str) -> None:
        old = self._jobs.pop(kind, None)
        if old is not None:
            old.stop()

    def stop_all(self) -> None:
        """The session has ended."""
        for job in self._jobs.values():
            job.stop()
