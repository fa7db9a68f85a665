"""User studies, blind and in random order.

People choose the preferred result (Xu 2020, figure 9), or the real picture of two (Zhang 2016, section 3.1).
"""

from tinct.evaluation.study.design import KINDS, Study, Trial
from tinct.evaluation.study.folders import StudyPictures, find_pictures

__all__ = ["KINDS", "Study", "StudyPictures", "Trial", "find_pictures"]
