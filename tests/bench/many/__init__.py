"""Very many modules of one house: what is measured of them, and what they say.

It is copied beside the code of other commits and runs there, so it knows only what they all have.
"""
