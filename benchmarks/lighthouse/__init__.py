"""Lighthouse on the signup page, as production serves it."""
