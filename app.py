"""Essential Biomarker Planner in the browser: page set-up, navigation and the frame of every page."""

import streamlit as st

from planner.ui import sidebar, state, widgets

st.set_page_config(page_title="Essential Biomarker Planner", page_icon=sidebar.ICON, layout="wide")
first = st.Page("planner/ui/pages/start.py", title="Start", icon=":material/home:", default=True)
plan = st.Page("planner/ui/pages/plan.py", title="Plan", icon=":material/checklist:", url_path="plan")
page = st.navigation([
    first, plan,
    st.Page("planner/ui/pages/strategies.py", title="Strategies", icon=":material/account_tree:", url_path="strategies"),
    st.Page("planner/ui/pages/hospital.py", title="Hospital", icon=":material/local_hospital:", url_path="hospital"),
    st.Page("planner/ui/pages/budget.py", title="Budget", icon=":material/payments:", url_path="budget"),
    st.Page("planner/ui/pages/drug_access.py", title="Drug access", icon=":material/medication:", url_path="drug_access"),
    st.Page("planner/ui/pages/uncertainty.py", title="Uncertainty", icon=":material/casino:", url_path="uncertainty"),
    st.Page("planner/ui/pages/compare.py", title="Compare", icon=":material/compare_arrows:", url_path="compare"),
    st.Page("planner/ui/pages/evidence.py", title="Evidence", icon=":material/menu_book:", url_path="evidence"),
    st.Page("planner/ui/pages/report.py", title="Report", icon=":material/description:", url_path="report"),
    st.Page("planner/ui/pages/method.py", title="Method", icon=":material/functions:", url_path="method"),
], expanded=True)
if state.start() and page == first:  # a link without a page's name means the plan of its place
    st.switch_page(plan)
widgets.dress()
sidebar.draw()
widgets.told()
page.run()
state.write_address()
