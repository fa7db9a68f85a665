"""The cards of the methods without networks; the module needs neither torch nor numpy."""

from __future__ import annotations

from tinct.networks.card import Card

_FOLDER = "tinct.methods.classical"

REINHARD = Card(
    "reinhard",
    "Reinhard, Ashikhmin, Gooch, Shirley, Color transfer between images, IEEE CG&A, 2001",
    f"{_FOLDER}.color_statistics:Reinhard",
)
"""Card of `tinct.methods.classical.color_statistics.Reinhard`."""

HISTOGRAM = Card(
    "histogram",
    "Coltuc, Bolon, Chassery, Exact histogram specification, IEEE Transactions on Image Processing, 2006",
    f"{_FOLDER}.color_statistics:HistogramMatching",
)
"""Card of `tinct.methods.classical.color_statistics.HistogramMatching`."""

WELSH = Card(
    "welsh",
    "Welsh, Ashikhmin, Mueller, Transferring color to greyscale images, ACM TOG (SIGGRAPH), 2002",
    f"{_FOLDER}.welsh:Welsh",
)
"""Card of `tinct.methods.classical.welsh.Welsh`."""

GUPTA = Card(
    "gupta",
    "Gupta, Chia, Rajan, Ng, Huang, Image colorization using similar images, ACM Multimedia, 2012",
    f"{_FOLDER}.gupta:Gupta",
)
"""Card of `tinct.methods.classical.gupta.Gupta`."""

PIERRE = Card(
    "pierre",
    "Pierre, Aujol, Bugeau, Papadakis, Ta, Luminance-chrominance model for image colorization, "
    "SIAM Journal on Imaging Sciences, 2015",
    f"{_FOLDER}.pierre:Pierre",
)
"""Card of `tinct.methods.classical.pierre.Pierre`."""

IRONI = Card(
    "ironi",
    "Ironi, Cohen-Or, Lischinski, Colorization by example, Eurographics Symposium on Rendering, 2005",
    f"{_FOLDER}.ironi:Ironi",
)
"""Card of `tinct.methods.classical.ironi.Ironi`."""

LEVIN = Card(
    "levin",
    "Levin, Lischinski, Weiss, Colorization using optimization, ACM Transactions on Graphics, 2004",
    f"{_FOLDER}.levin:Levin",
)
"""Card of `tinct.methods.classical.levin.Levin`."""

YATZIV = Card(
    "yatziv",
    "Yatziv, Sapiro, Fast image and video colorization using chrominance blending, "
    "IEEE Transactions on Image Processing, 2006",
    f"{_FOLDER}.yatziv:Yatziv",
)
"""Card of `tinct.methods.classical.yatziv.Yatziv`."""

CARDS = (REINHARD, HISTOGRAM, WELSH, IRONI, GUPTA, PIERRE, LEVIN, YATZIV)
"""All cards of methods without networks, in the order of `tinct methods`."""
