"""The figures and tables of the papers whose networks tinct has, made again from the weights that are installed."""
