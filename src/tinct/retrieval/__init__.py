"""Finding photographs that are alike: descriptors, an index of a folder, references for a photograph, groups.

Photographs are compared as gray ones, since the photograph that asks has no colors.
"""
