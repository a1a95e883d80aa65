"""The questions, one file per stack_state; `drill/check/catalogue.py` lists them."""
