"""User studies, blind and in random order: which result is preferred (Xu 2020, figure 9), and
which picture is real (Zhang 2016, section 3.1)."""

from tinct.evaluation.study.design import KINDS, Study, Trial
from tinct.evaluation.study.results import Contestants, find_contestants

__all__ = ["KINDS", "Contestants", "Study", "Trial", "find_contestants"]
