"""Page Uncertainty: how sure is the list?"""

from planner.ui import uncertainty

uncertainty.page()
