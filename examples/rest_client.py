"""Colorize by REST: `tinct serve`, then `python examples/rest_client.py http://127.0.0.1:8322 scan.jpg`.

Writes scan.rest.png beside the photograph. A session reads the photograph once; hints and options come with each
request.
"""

import sys
from pathlib import Path

import httpx

address, source = sys.argv[1], Path(sys.argv[2])

with httpx.Client(base_url=address, timeout=120) as client:

    def ask(method: str, path: str, **request) -> httpx.Response:
        """Send a request; errors are one line of JSON."""
        response = client.request(method, path, **request)
        if response.is_error:
            sys.exit(f"{response.status_code}: {response.json()['error']}")
        return response

    with source.open("rb") as photo:
        session = ask("POST", "/api/sessions", files={"photo": photo}).json()
    print(f"{source.name}: {session['width']} x {session['height']} pixels")

    middle = session["width"] / 2, session["height"] / 2
    hints = {"points": [{"x": middle[0], "y": middle[1], "color": "#8c5a3c"}]}
    wish = {"hints": hints, "options": {"vividness": 1.2}}

    preview = ask("POST", f"/api/sessions/{session['id']}/preview", json={**wish, "longer_side": 320})
    print(f"preview: {len(preview.content)} bytes of {preview.headers['content-type']}")

    whole = ask("POST", f"/api/sessions/{session['id']}/render", json={**wish, "format": "png"})
    source.with_name(f"{source.stem}.rest.png").write_bytes(whole.content)
    ask("DELETE", f"/api/sessions/{session['id']}")
