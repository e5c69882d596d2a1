"""Page Budget: what does more or less money buy?"""

from planner.ui import budget

budget.page()
