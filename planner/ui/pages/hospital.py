"""Page Hospital: what should this hospital run itself, and what should it send out?"""

from planner.ui import hospital

hospital.page()
