"""Page Compare: what changes between these plans?"""

from planner.ui import compare

compare.page()
