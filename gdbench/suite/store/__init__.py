"""What a suite keeps: the ledger of its runs and sessions, and the tables that are written from it."""
