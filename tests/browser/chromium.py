"""Debian's chromium and the studio that it is driven through; for the tests and for docs/screenshots."""

from __future__ import annotations

import base64
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DROP = """([target, name, type, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  for (const kind of ['dragenter', 'dragover', 'drop']) {
    const event = new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true });
    document.querySelector(target).dispatchEvent(event);
  }
}"""


@contextmanager
def running_studio(**settings: Any) -> Iterator[str]:
    """The address of a studio of these settings that runs until the block ends."""
    import uvicorn

    from tinct.web.app import create_app
    from tinct.web.settings import Settings

    server = uvicorn.Server(
        uvicorn.Config(create_app(Settings(**settings)), host="127.0.0.1", port=0, log_level="error")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = True
    thread.join(10)


def drop(page: Any, path: Path, target: str = "#stage") -> None:
    """Let go of a file over a part of the page, as a person's hand does."""
    content = base64.b64encode(path.read_bytes()).decode()
    page.evaluate(DROP, [target, path.name, "image/png", content])
