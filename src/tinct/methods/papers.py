"""The papers' networks as methods: a literal each. `tinct.training` trains them under the same names."""

from __future__ import annotations

from tinct.methods.automatic import Automatic, AutomaticDistribution
from tinct.methods.exemplar import Exemplar, LiteExemplar
from tinct.methods.user_guided import GlobalHints, LocalHints
from tinct.networks.xu2020_places import DECODER_ONLY, ENCODER_ONLY

_ZHANG_2016 = "Zhang, Isola, Efros, Colorful Image Colorization, ECCV, 2016"
_ZHANG_2017 = (
    "Zhang, Zhu, Isola, Geng, Lin, Yu, Efros, Real-Time User-Guided Image Colorization with Learned Deep Priors, "
    "SIGGRAPH, 2017"
)
_SCUNET = (
    "Nguyen-Quynh, Kim, Do, Image Colorization Using the Global Scene-Context Style and Pixel-Wise Semantic "
    "Segmentation, IEEE Access, 2020"
)
_IIZUKA = "Iizuka, Simo-Serra, Ishikawa, Let there be Color!, SIGGRAPH, 2016"
_LARSSON = "Larsson, Maire, Shakhnarovich, Learning Representations for Automatic Colorization, ECCV, 2016"
_XU = (
    "Xu, Wang, Fang, Shi, Sheng, Zhang, Stylization-Based Architecture for Fast Deep Exemplar Colorization, "
    "CVPR, 2020"
)

_SMALL = 160
"""Working size at which things are about as large as in the released networks' training; on held-out photographs
zhang2016 has 20.35 dB at it, 19.98 at 256 and 20.50 at 128."""

ZHANG2016 = AutomaticDistribution(
    name="zhang2016",
    summary="by itself: a rebalanced distribution over 313 colors, read as its annealed mean",
    source=_ZHANG_2016,
    working_size=_SMALL,
)
ZHANG2016_MODE = AutomaticDistribution(
    name="zhang2016-mode",
    summary="the same network, read as its likeliest color: vivid and patchy",
    source=_ZHANG_2016,
    working_size=_SMALL,
    network="zhang2016",
    temperature=1e-4,
)
ZHANG2016_L2 = Automatic(
    name="zhang2016-l2",
    summary="by itself: the same network with a squared error, the paper's baseline",
    source=_ZHANG_2016,
    working_size=_SMALL,
)
ZHANG2016_FIVE_BLOCKS = AutomaticDistribution(
    name="zhang2016-five-blocks",
    summary="by itself: an ablation with five blocks, one of them dilated",
    source=_ZHANG_2016,
    working_size=_SMALL,
)
ZHANG2016_FOUR_BLOCKS = AutomaticDistribution(
    name="zhang2016-four-blocks",
    summary="by itself: an ablation with four blocks, none of them dilated",
    source=_ZHANG_2016,
    working_size=_SMALL,
)
ZHANG2017 = LocalHints(
    name="zhang2017",
    summary="by itself and from hints, and suggests colors: the local-hints network",
    source=_ZHANG_2017,
)
ZHANG2017_GLOBAL = GlobalHints(
    name="zhang2017-global",
    summary="the same, and takes a reference's color histogram and saturation on the whole",
    source=_ZHANG_2017,
)
SCUNET = AutomaticDistribution(
    name="scunet",
    summary="by itself: a U-Net that learned scenes and segments as well (SegClassRegSoft)",
    source=_SCUNET,
    multiple=16,
)
SCUNET_CLASSREGSOFT = AutomaticDistribution(
    name="scunet-classregsoft",
    summary="by itself: an ablation that learned scenes, but no segments",
    source=_SCUNET,
    multiple=16,
)
SCUNET_REGSOFT = AutomaticDistribution(
    name="scunet-regsoft",
    summary="by itself: an ablation that learned neither scenes nor segments",
    source=_SCUNET,
    multiple=16,
)
IIZUKA2016 = Automatic(
    name="iizuka2016",
    summary="by itself: global and local features fused, with a scene branch",
    source=_IIZUKA,
)
LARSSON2016 = Automatic(
    name="larsson2016",
    summary="by itself: hypercolumns to histograms of hue and chroma",
    source=_LARSSON,
    multiple=32,
)
XU2020 = Exemplar(
    name="xu2020",
    summary="transfers a reference's look onto a pre-colored photograph, then refines its colors",
    source=_XU,
)
XU2020_WCT = Exemplar(
    name="xu2020-wct",
    summary="the same, with whitening and coloring in place of AdaIN",
    source=_XU,
    match="wct",
)
XU2020_ENCODER_ADAIN = Exemplar(
    name="xu2020-encoder-adain",
    summary="an ablation (Figure 5): statistics matched in the encoder only",
    source=_XU,
    places=ENCODER_ONLY,
)
XU2020_DECODER_ADAIN = Exemplar(
    name="xu2020-decoder-adain",
    summary="an ablation (Figure 5): statistics matched in the decoder only",
    source=_XU,
    places=DECODER_ONLY,
)
XU2020_LITE = LiteExemplar(
    name="xu2020-lite",
    summary="a lighter variant: statistics matched between encoder and decoder only",
    source=f"{_XU}; the variant of Noorzad, Rokni Lamoki, Elahi, Exemplar Colorization, 2021",
)
