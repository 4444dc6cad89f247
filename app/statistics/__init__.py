"""Mergeable statistics, one accumulator a file; `totals.py` puts them together.

Every accumulator adds up the same however its rows are cut into chunks: counts are integers, and float sums are carried
on row after row (`groups.py`). Merging integers is free of order; float sums are merged in the order the caller fixes.
"""
