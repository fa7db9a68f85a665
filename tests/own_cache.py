"""A cache folder of a test's own that shares compiled networks, as these take seconds to compile."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from tinct.files import cache_folder


def own_cache(folder: Path) -> str:
    """An empty cache folder, but for compiled networks, which are those of the cache in force: for `TINCT_CACHE`."""
    compiled = cache_folder() / "openvino"
    folder.mkdir(parents=True)
    with suppress(OSError):  # where no links can be made, networks are compiled anew
        compiled.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "openvino").symlink_to(compiled.resolve(), target_is_directory=True)
    return str(folder)
