"""Page Drug access: which drug would unlock most?"""

from planner.ui import drug_access

drug_access.page()
