"""Finderscope beside its peers: each question of the goals has a file, and all of them share the helpers.

`python3 -m bench` runs them, see README.md beside this file. Standard library only.
"""
