"""How dates and times are written in each language; numbers stay as Django knows them.

The same calm shapes everywhere: 24 hours, the month as a word, and no order of figures that two
countries read differently. The server knows no reader's time zone, so short times say `T`: UTC.
Where a page's script can, it puts the reader's own time in its place.
"""
