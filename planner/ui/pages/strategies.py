"""Page Strategies: which way of testing for one cancer?"""

from planner.ui import strategies

strategies.page()
