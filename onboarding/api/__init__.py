"""The JSON API, `/api/v1/`: translates, and calls one service each."""
