"""Page Evidence: where does this number come from?"""

from planner.ui import sources

sources.page()
