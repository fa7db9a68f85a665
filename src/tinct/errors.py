"""What can go wrong, by name.

Every message says what was met, what was wanted and what to do, in one line: the command line prints it as it stands
and exits with code 2.
"""


class TinctError(Exception):
    """The root of every error that tinct raises on purpose."""


class PhotoError(TinctError):
    """A photograph cannot be read: missing, a directory, empty, truncated, not an image, an unsupported kind."""


class PhotoTooLargeError(PhotoError):
    """A photograph's header declares more pixels than the limit; refused before anything is decoded."""


class ShapeError(TinctError, ValueError):
    """An array's shape, type or values do not fit: wrong number of axes, sizes that differ, NaN or infinity."""


class ColorError(TinctError, ValueError):
    """A color is not written as #rgb or #rrggbb."""


class HintError(TinctError, ValueError):
    """A hint lies outside the photograph, is malformed, or its file cannot be understood."""


class ReferencePhotoError(TinctError, ValueError):
    """A reference photograph has no color to give."""


class OptionError(TinctError, ValueError):
    """An option is out of its range, or two options contradict each other."""


class MethodError(TinctError, ValueError):
    """The method is unknown, or cannot answer what was asked: it needs a reference or hints and got none."""


class ProjectError(TinctError, ValueError):
    """A project file cannot be understood, or the files it names are missing or are other ones."""


class OutputError(TinctError, OSError):
    """The result cannot be written: it would overwrite the source, the folder is not writable, the disk is full."""


class WeightsError(TinctError):
    """A weights file is missing, damaged, or not the one that the manifest names."""


class EvaluationError(TinctError, ValueError):
    """Photographs cannot be measured on, a protocol is unknown, or results files do not fit each other."""


class TrainingError(TinctError):
    """A training run has gone wrong: its loss is no longer a number."""


class MissingExtraError(TinctError, ImportError):
    """An optional part is not installed; the message names the pip line that installs it."""
