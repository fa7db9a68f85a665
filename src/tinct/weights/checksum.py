"""SHA-256 of weights files, computed once as long as a file stays unchanged."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from tinct.errors import WeightsError
from tinct.files import sha256_of_file


def file_sha256(path: Path | str) -> str:
    """The SHA-256 of a file's content, 64 hexadecimal digits (FIPS 180-4).

    Hashes are cached for the process by path, size, modification time and inode; a change of one of these computes the
    hash anew.

    Raises:
        WeightsError: if the file is missing or cannot be read.
    """
    path = Path(path)
    try:
        found = path.stat()
        return _sha256(str(path.absolute()), found.st_size, found.st_mtime_ns, found.st_ino)
    except FileNotFoundError:
        raise WeightsError(f"{path} does not exist; install it or download it again.") from None
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be read ({error.strerror}); give a readable weights file."
        ) from None


@lru_cache(maxsize=256)
def _sha256(path: str, size: int, mtime_ns: int, inode: int) -> str:
    return sha256_of_file(Path(path))
