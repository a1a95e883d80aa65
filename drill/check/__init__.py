"""`python -m drill check`: is everything ready for an emergency?"""
