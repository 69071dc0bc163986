"""Paths through a graph: in how many ways each element contributes to the outputs.

``walk`` goes back through the nodes, ``rules`` knows what each operator does to counts, ``roles``
tells channels from space, ``counts`` adds without overflow. Definition: measure/foveation.py.
"""
