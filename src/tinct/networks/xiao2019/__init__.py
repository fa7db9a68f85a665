"""Xiao, Han, Zhang, Qin, Wong, Han, He, Example-Based Colourization via Dense Encoding Pyramids, CGF 2020."""
