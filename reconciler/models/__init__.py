"""The JSON of the program, once: what the API answers and takes, and what ``--json`` writes.

A model is made from a value of the core or the engine by its ``of``, and its schema is the API's description.
"""
