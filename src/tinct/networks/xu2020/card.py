"""What Xu 2020 offers: the whole, its ablations, the lighter variant, and the runs that train its sub-nets."""

from __future__ import annotations

from tinct.networks.card import Card

PAPER = (
    "Xu, Wang, Fang, Sheng, Zhang, Stylization-Based Architecture for Fast Deep Exemplar Colorization, "
    "CVPR, 2020"
)
"""The paper, as author, title, venue and year."""

LITE_PAPER = f"{PAPER}; the variant of Noorzad, Rokni Lamoki, Elahi, Exemplar Colorization, 2021"
"""The paper of the lighter variant."""

_FOLDER = "tinct.networks.xu2020"

CARDS = (
    Card("xu2020", PAPER, f"{_FOLDER}.method:XU2020"),
    Card("xu2020-wct", PAPER, f"{_FOLDER}.method:XU2020_WCT"),
    Card("xu2020-whole", PAPER, f"{_FOLDER}.method:XU2020_WHOLE"),
    Card("xu2020-encoder-adain", PAPER, f"{_FOLDER}.method:XU2020_ENCODER_ADAIN"),
    Card("xu2020-decoder-adain", PAPER, f"{_FOLDER}.method:XU2020_DECODER_ADAIN"),
    Card(
        "xu2020-lite",
        LITE_PAPER,
        f"{_FOLDER}.method:XU2020_LITE",
        f"{_FOLDER}.lite_training:LiteTraining",
        f"{_FOLDER}.release:LITE",
    ),
    Card("xu2020-encoder", PAPER, training=f"{_FOLDER}.training:EncoderTraining"),
    Card(
        "xu2020-transfer",
        PAPER,
        training=f"{_FOLDER}.transfer_training:TransferTraining",
        release=f"{_FOLDER}.release:TRANSFER",
    ),
    Card(
        "xu2020-colorization",
        PAPER,
        training=f"{_FOLDER}.colorization_training:ColorizationTraining",
        release=f"{_FOLDER}.release:COLORIZATION",
    ),
    Card(
        "xu2020-total",
        PAPER,
        training=f"{_FOLDER}.total_training:TotalTraining",
        release=f"{_FOLDER}.release:TOTAL",
    ),
    Card(
        "xu2020-lite-total",
        LITE_PAPER,
        training=f"{_FOLDER}.lite_training:LiteTotalTraining",
        release=f"{_FOLDER}.release:LITE_TOTAL",
    ),
)
"""The cards of this folder's methods and networks."""
