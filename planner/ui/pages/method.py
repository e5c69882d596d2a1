"""Page Method: may I trust it?"""

from planner.ui import method

method.page()
