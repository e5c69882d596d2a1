"""Page Report: what do I take with me?"""

from planner.ui import report

report.page()
