"""The walk: every state of the customer's pages in a real Chromium, looked at by axe and by us."""
