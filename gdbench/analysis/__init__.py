"""From the tables of a suite to what is said about them: costs to targets, verdicts, ranks, profiles; one rule for each.

Everything about targets is computed from hits.parquet alone. Nothing is run here and nothing drawn.
"""
