"""Page Plan: what do we test, in which order?"""

from planner.ui import answer

answer.page()
