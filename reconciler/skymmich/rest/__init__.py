"""Reads the catalogue over Skymmich's web address, where its database cannot be reached.

``client`` asks, ``shapes`` understands the answers, ``mirror`` keeps them as the rows that Skymmich's own
database would have, ``pace`` says what is due, ``look`` does it, and ``source`` is the catalogue.
"""
