"""How long things take, measured on this machine; the numbers in docs/decisions come from here."""
