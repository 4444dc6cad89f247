"""Fetched chunks -> columns and rejects."""
