"""Page Start: who are you, and what do you want to know?"""

from planner.ui import doors

doors.page()
