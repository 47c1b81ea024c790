"""Opinions about customers: health scores and warnings, from facts and earlier nights."""
