"""He, Chen, Liao, Sander, Yuan, Deep Exemplar-based Colorization, SIGGRAPH 2018."""
