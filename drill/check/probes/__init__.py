"""The questions, one file per subject; `drill/check/catalogue.py` lists them."""
