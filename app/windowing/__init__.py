"""Rows -> segments, panes and running totals; parts of these -> panes -> windows and cohorts."""
