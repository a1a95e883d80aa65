"""`python -m drill fire`: does the alarm ring?"""
