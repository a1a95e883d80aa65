"""`python -m drill report`: what shows an auditor that it does."""
