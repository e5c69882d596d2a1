"""What the plausibility suite finds in the shipped evidence and why it stands.

``RIGHT``: the number is right although it looks odd; the reason. ``OPEN``: the number is to be corrected;
the correction proposed. Keys are those of the finding. An entry that is no longer found fails the suite,
so that a corrected number is struck out here.
"""

from __future__ import annotations

INDIA = "copies at the retail price of the government generic programme; the other rows are list prices and ceilings"
CARRIED = "the Indian programme price carried over, as its note says"
COPY = "price of the Indian copy; the others are list prices of the originator"
ORIGINATOR = "originator in the private sector; the median is of copies"
PROGRAMME = ("cyclophosphamide", "dasatinib", "erlotinib", "gefitinib", "imatinib", "letrozole", "pemetrexed")
UPPER = ("dasatinib", "pemetrexed")
CHEAP = {(drug, place): why for drug in PROGRAMME
         for place, why in (("IND", INDIA), ("low", CARRIED), ("lower_middle", CARRIED))}
ATC = "ATC code not entered; proposed {} (to be read at whocc.no)"
ORPHAN = "defined, but in no row and no note: {}"
NAME_IT = "name the id in the note of the row that rests on it, or strike it out"

RIGHT: dict[str, dict] = {
    "price": CHEAP | {(drug, "upper_middle"): CARRIED for drug in UPPER} | {
        ("olaparib", "IND"): COPY, ("olaparib", "low"): COPY, ("olaparib", "lower_middle"): COPY,
        ("anastrozole", "ZAF"): ORIGINATOR, ("imatinib", "ZAF"): ORIGINATOR,
        ("dacarbazine", "THA"): "a government reference price (ceiling); hospitals buy below it",
        ("toripalimab", "CHN"): "the Chinese insured price after negotiation; the others carry the price of the United States",
    },
    "rate_jump": {
        ("AOA", 2018): "peg given up", ("AOA", 2020): "fell with the price of oil",
        ("ARS", 2016): "exchange controls lifted in December 2015", ("ARS", 2018): "currency crisis",
        ("ARS", 2019): "currency crisis", ("ARS", 2023): "devaluation of December 2023 and the crawl before it",
        ("AZN", 2016): "devaluations of 2015", ("BYN", 2011): "devaluation of 2011",
        ("BYN", 2012): "the rest of it in the yearly mean", ("BYN", 2015): "fell with the rouble",
        ("EGP", 2017): "float of November 2016", ("EGP", 2023): "devaluations of 2022 and 2023",
        ("KZT", 2016): "float of August 2015", ("MZN", 2016): "debt crisis",
        ("LKR", 2022): "default and float of 2022", ("LYD", 2021): "official rate set from 1.4 to 4.48 in January 2021",
        ("MWK", 2012): "devaluation of May 2012", ("NGN", 2023): "rates united in June 2023",
        ("RUB", 2015): "price of oil and sanctions", ("SRD", 2016): "devaluation", ("SRD", 2020): "devaluation",
        ("TRY", 2022): "currency crisis", ("UAH", 2015): "war and float", ("UZS", 2017): "rates united in September 2017",
        ("UZS", 2018): "the rest of it in the yearly mean",
    },
    "course": {
        "nsclc_nonsq_advanced_ntrk_larotrectinib": "survival credited is the lower bound of its interval, as the note says",
        "solid_other_advanced_ntrk_larotrectinib": "survival credited is the lower bound of its interval, as the note says",
    },
    "progression": {
        "nsclc_nonsq_advanced_ntrk_larotrectinib": "survival credited is the lower bound of its interval, as the note says",
        "solid_other_advanced_ntrk_larotrectinib": "survival credited is the lower bound of its interval, as the note says",
    },
    "hgnc": dict.fromkeys(("hrd", "multigene_low_risk", "tmb_high"), "a signature of many genes"),
    "icd10": {"gist": "coded by morphology, at every site of the gut (C15 to C26)",
              "solid_other": "what is left of all cancers after the sites with indications of their own"},
    "unused_source": {"loinc_hl7": "terms of the codes in assays.loinc, which has no source column; see data/LICENCES.md"},
    "performance": {
        ("brca_germline_ngs", "brca", "prostate_mcrpc"): "a germline test misses the somatic half of the carriers",
        ("ctdna_panel", "ros1", "nsclc_nonsq_advanced"): "fusions are missed in blood",
        ("hrd_assay_academic", "hrd", "ovarian_advanced"): "chained through the commercial assay, as its note says",
    },
    "twice": {
        ("10.1038/sdata.2018.1",): "one data set of labels, two labels read in it",
    },
}

OPEN: dict[str, dict] = {
    "split": {
        ("lung histology within non-small-cell", "CHN"): "0.606 + 0.256 of one hospital exceed the 0.84 non-small-cell share "
        "carried over from the USA for early disease: give China's early disease its own histology row (0.862)"},
    "gain": {(t, "more QALYs than life-years"): "the life-years of the top step were not read, so those of imatinib stand beside "
             "its QALYs plus the step's: read ly_gain in the full text of yamamoto_cml_2019, or state no life-years"
             for t in ("cml_bcr_abl1_dasatinib", "cml_bcr_abl1_nilotinib")},
    "atc": {"sintilimab": ATC.format("a code of L01FF, not found")},
    "unused_source": {source: ORPHAN.format(NAME_IT) for source in (
        "attrition_her2_europe", "cdk46_review_2023", "dawood_2010", "esmo_mcbs_scorecards_breast", "flatiron_mcrc_2l_2019",
        "habila_aspo_2019", "herb_2024", "india_tnbc_2021", "johnson_braf_2022", "kennecke_mcrc_lines", "keynote158_2025",
        "lenz_bra", "menzies_braf_2012", "midostaurin_cea_uk_2018", "olympia_risk_cotedor_2024", "perez_joint_2014",
        "sargent_2010", "seligmann_braf_2017", "slamon_2001", "sparano_tailorx_2018")},
    "twice": dict.fromkeys((("10.1200/go.20.00122",), ("32673076",), ("32103551",), ("10.1155/2014/137304",),
                            ("10.4048/jbc.2022.25.e21",), ("10.21037/tlcr-20-455",), ("33209599",),
                            ("10.1513/annalsats.201901-094oc",), ("31672025",), ("10.1186/1471-2407-13-615",)),
                           "one paper under two ids: keep one"),
}
