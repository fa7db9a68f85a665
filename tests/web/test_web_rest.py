"""Laws of the REST interface: the library's answers through another door, in the form that is promised."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

import tinct
from tinct.cli import run

pytest.importorskip("uvicorn", reason="the studio needs pip install 'tinct[web]'")
pytest.importorskip("fastapi", reason="the studio needs pip install 'tinct[web]'")

from studio_server import Running, image, png, running
from tinct.errors import one_line
from tinct.photo import Photo
from tinct.web.access import SECURITY_HEADERS
from tinct.web.documentation import EXAMPLE, ID_VARIABLE, operations
from tinct.web.responses import MOST_NOTE_BYTES, NOTES_HEADER, file_response, picture_response

HINTS = {
    "points": [{"x": 40, "y": 30, "color": "#8c5a3c", "radius": 2}],
    "strokes": [{"points": [[100, 60], [140, 80]], "color": "#336699", "width": 6}],
    "rectangles": [{"box": [0, 0, 20, 10], "color": "#777777"}],
}


@pytest.fixture(scope="module")
def color() -> np.ndarray:
    return np.ascontiguousarray(data.coffee()[::3, ::3])


@pytest.fixture(scope="module")
def gray(color) -> bytes:
    return png(np.asarray(color @ [0.3, 0.6, 0.1], np.uint8), dpi=(300, 300))


@pytest.fixture(scope="module")
def reference(color) -> bytes:
    return png(color[:, ::-1].copy())


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("spool")) as found:
        yield found


def ask(server: Running, session: dict, what: str, **body):
    answer = server.client.post(f"/api/sessions/{session['id']}/{what}", json=body)
    assert answer.status_code == 200, answer.text
    return answer


def test_every_door_gives_the_same_bytes(server, gray, reference, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("photo.png").write_bytes(gray)
    Path("reference.png").write_bytes(reference)
    Path("hints.json").write_text(json.dumps(HINTS))
    options = {"vividness": 1.5, "strength": 0.9, "size": 224}
    library = tinct.colorize(gray, reference, tinct.read_hints("hints.json", (200, 134)), **options)
    fields = {"options": json.dumps(options), "hints": json.dumps(HINTS)}
    files = {"photo": ("photo.png", gray), "reference": ("reference.png", reference)}
    rest = server.client.post("/api/colorize", data=fields, files=files)
    assert rest.status_code == 200
    assert rest.headers["content-type"] == "image/png"
    assert rest.content == library
    looks = ("--vividness", "1.5", "--strength", "0.9", "--size", "224")
    assert run(["colorize", "photo.png", "-r", "reference.png", "--hints", "hints.json", *looks]) == 0
    assert Path("photo.color.png").read_bytes() == library
    session = server.begin(gray)
    server.client.put(
        f"/api/sessions/{session['id']}/references", files={"reference": ("reference.png", reference)}
    )
    saved = ask(server, session, "render", hints=HINTS, options=options)
    assert saved.content == library
    assert "photo.color.png" in saved.headers["content-disposition"]


def test_a_project_replays_byte_for_byte(server, gray, reference, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("photo.png").write_bytes(gray)
    Path("reference.png").write_bytes(reference)
    session = server.begin(gray)
    files, weights = {"reference": ("reference.png", reference)}, {"weights": "[0.5]"}
    put = server.client.put(f"/api/sessions/{session['id']}/references", files=files, data=weights)
    assert put.json()["references"][0]["weight"] == 0.5
    edit = {"hints": HINTS, "options": {"vividness": 0.5}}
    saved = ask(server, session, "render", **edit).content
    project = ask(server, session, "project", **edit).json()
    assert project["photo"] == {
        "name": "photo.png",
        "sha256": hashlib.sha256(gray).hexdigest(),
        "width": 200,
        "height": 134,
    }
    Path("coat.json").write_text(json.dumps(project))
    assert run(["colorize", "--project", "coat.json"]) == 0
    assert Path("photo.color.png").read_bytes() == saved


def test_the_result_comes_in_the_photograph_s_own_format(server, gray, color):
    jpeg = Photo.read(gray).encode("jpg")
    answer = server.client.post("/api/colorize", files={"photo": ("a.png", jpeg, "text/html")})
    assert answer.headers["content-type"] == "image/jpeg"
    assert image(answer.content).shape == color.shape
    tif = server.client.post("/api/colorize", files={"photo": ("a", jpeg)}, data={"format": "tif"})
    assert tif.headers["content-type"] == "image/tiff"


def test_hints_come_as_json_or_as_painted_strokes(server, gray, color):
    strokes = np.zeros((*color.shape[:2], 4), np.uint8)
    strokes[60:70] = (40, 60, 220, 255)
    files = {"photo": ("a.png", gray)}
    plain = image(server.client.post("/api/colorize", files=files).content)[60:70].astype(int)
    files["hints"] = ("strokes.png", png(strokes))
    painted = image(server.client.post("/api/colorize", files=files).content)[60:70].astype(int)
    assert (painted[..., 2] - painted[..., 0]).mean() > (plain[..., 2] - plain[..., 0]).mean() + 30


def test_a_session_knows_its_photograph_and_ends_when_told(server, gray):
    session = server.begin(gray, "../../etc/a b.png")
    assert (session["width"], session["height"], session["name"]) == (200, 134, "a b.png")
    assert (session["preview_width"], session["preview_height"]) == (200, 134)
    place = f"/api/sessions/{session['id']}"
    assert server.client.get(place).json() == session
    assert server.client.delete(place).status_code == 204
    assert server.client.get(place).status_code == 404
    assert server.client.post(f"{place}/preview", json={}).status_code == 404


def test_a_preview_is_the_library_s_and_hints_do_not_stay(server, gray):
    session = server.begin(gray)
    plain = ask(server, session, "preview", longer_side=150)
    assert plain.headers["content-type"] == "image/jpeg"
    ours = tinct.Colorizer(gray).preview(150)
    assert np.abs(image(plain.content).astype(int) - ours).mean() < 3
    hinted = ask(server, session, "preview", longer_side=150, hints=HINTS)
    assert hinted.content != plain.content
    assert ask(server, session, "preview", longer_side=150).content == plain.content


def test_gray_is_the_photograph_itself(server, gray):
    session = server.begin(gray)
    answer = server.client.get(f"/api/sessions/{session['id']}/gray", params={"longer_side": 200})
    assert np.abs(image(answer.content).astype(int) - image(gray)).mean() < 4


@pytest.mark.parametrize("route", ["confidence", "gains"])
def test_maps_are_gray_and_of_the_photographs_shape(server, gray, route):
    found = image(ask(server, server.begin(gray), route).content)
    assert found.shape == (134, 200)
    assert found.dtype == np.uint8


def test_the_map_is_whitest_where_a_hint_helps_most(server, gray):
    session = server.begin(gray)
    best = ask(server, session, "where", count=1).json()["places"][0]
    gains = image(ask(server, session, "gains").content)
    assert gains.max() == 255
    assert gains[round(best["y"]), round(best["x"])] > 230


def test_questions_are_answered_as_the_library_does(server, gray):
    session, library = server.begin(gray), tinct.Colorizer(gray)
    spots = ask(server, session, "suggest", x=100, y=60, count=3).json()["suggestions"]
    assert [each["color"] for each in spots] == [each.color for each in library.suggest(100, 60, 3)]
    places = ask(server, session, "where", count=2).json()["places"]
    assert [each["x"] for each in places] == [each.x for each in library.where_next(2)]
    strip = ask(server, session, "alternatives", count=2, longer_side=64).json()["alternatives"]
    assert [each["seed"] for each in strip] == library.alternatives(2)
    pictures = [server.client.get(each["preview"]) for each in strip]
    assert {each.headers["content-type"] for each in pictures} == {"image/webp"}
    assert image(pictures[0].content).shape == (43, 64, 3)


def test_references_that_cannot_be_used_are_left_out_of_a_partial_set(server, gray, reference, color):
    session = server.begin(gray)
    place = f"/api/sessions/{session['id']}/references"
    sent = {"letter.png": b"not a picture", "a.png": reference, "gray.png": gray, "b.png": png(color)}
    files = [("reference", each) for each in sent.items()]
    weights = {"weights": "[1, 0.25, 1, 0.5]"}
    assert server.client.put(place, files=files, data=weights).status_code == 422
    before = server.studio.pool.accounts.spent("127.0.0.1")
    said = server.client.put(place, files=files, data={**weights, "partial": "true"}).json()
    assert server.studio.pool.accounts.spent("127.0.0.1") > before  # as for any file that is refused
    assert [(each["name"], each["weight"]) for each in said["references"]] == [
        ("a.png", 0.25),
        ("b.png", 0.5),
    ]
    assert [each["number"] for each in said["refused"]] == [0, 2]
    assert all(
        name in each["error"] for name, each in zip(["letter.png", "gray.png"], said["refused"], strict=True)
    )
    alone = server.begin(gray)
    used = [("reference", ("a.png", reference)), ("reference", ("b.png", png(color)))]
    server.client.put(f"/api/sessions/{alone['id']}/references", files=used, data={"weights": "[0.25, 0.5]"})
    for which in ("preview", "project"):
        assert ask(server, session, which).content == ask(server, alone, which).content
    again = server.client.put(place, files=files[1:], data={"partial": "true"}).json()
    assert [each["name"] for each in again["references"]] == ["a.png", "b.png"]


@pytest.mark.parametrize("partial", ["false", "true"])
@pytest.mark.parametrize("shift", [0, 9])
def test_references_that_were_sent_before_count_among_all_pixels(tmp_path, gray, color, partial, shift):
    pixels = color.shape[0] * color.shape[1]
    pictures = [("reference", (f"{n}.png", png(np.roll(color, shift * n, axis=1)))) for n in range(3)]
    with running(tmp_path, max_pixels=int(2.5 * pixels)) as small:
        session = small.begin(gray)
        place = f"/api/sessions/{session['id']}/references"
        assert small.client.put(place, files=pictures[:2]).status_code == 200
        answer = small.client.put(place, files=pictures, data={"partial": partial})
        if partial == "true":
            assert "2.png: with it the references have more than" in answer.json()["refused"][0]["error"]
        else:
            assert answer.status_code == 413
        small.studio.sessions.find(session["id"], None).drop_decoded()
        ask(small, session, "preview")


@pytest.mark.parametrize("said", ["1", "maybe", '"true"', "[]"])
def test_partial_is_true_or_false(server, gray, reference, said):
    place = f"/api/sessions/{server.begin(gray)['id']}/references"
    answer = server.client.put(place, files={"reference": ("a.png", reference)}, data={"partial": said})
    assert answer.status_code == 422
    assert "partial" in answer.json()["error"]


def test_references_are_weighed_shown_and_cleared(server, gray, reference, color):
    session = server.begin(gray)
    place = f"/api/sessions/{session['id']}/references"
    two = [("reference", ("../a.png", reference)), ("reference", ("b.png", png(color)))]
    said = server.client.put(place, files=two).json()
    assert [each["name"] for each in said["references"]] == ["a.png", "b.png"]
    thumbnail = image(server.client.get(f"{place}/1.png").content)
    assert np.abs(thumbnail.astype(int) - color).mean() < 3
    both = ask(server, session, "preview").content
    weighed = server.client.put(place, files={"weights": (None, "[1, 0]")}).json()
    assert [each["weight"] for each in weighed["references"]] == [1, 0]
    assert ask(server, session, "preview").content != both
    refused = server.client.put(place, files={"reference": ("gray.png", gray)})
    assert refused.status_code == 422
    assert "gray" in refused.json()["error"]
    assert len(server.client.get(f"/api/sessions/{session['id']}").json()["references"]) == 2
    assert server.client.put(place, files={"weights": (None, "[]")}).json()["references"] == []
    assert server.client.get(f"{place}/0.png").status_code == 404


def test_methods_are_those_of_the_library(server):
    listed = server.client.get("/api/methods").json()["methods"]
    assert [each["name"] for each in listed] == list(tinct.METHODS)
    assert {"summary", "source", "needs_reference", "needs_hints", "suggests", "installed"} <= set(listed[0])
    assert [each["installed"] for each in listed if each["name"] in ("tinct", "welsh")] == [True, True]


BAD = {
    "no photograph": ({}, {"options": "{}"}, "send one"),
    "unknown field": ({}, {"colour": "1"}, "colour"),
    "options": ({}, {"options": '{"strength": 7}'}, "strength is 7"),
    "option's type": ({}, {"options": '{"size": "big"}'}, "size is 'big'"),
    "unknown option": ({}, {"options": '{"colour": 1}'}, "'colour' is not an option"),
    "not JSON": ({}, {"options": "{"}, "options is not JSON"),
    "deep JSON": ({}, {"hints": "[" * 100_000}, "hints is not JSON (lists or objects are nested too deep)"),
    "long number": (
        {},
        {"hints": "1" + "0" * 5000},
        "hints is not JSON (a whole number has more than 4300 digits)",
    ),
    "hint outside": ({}, {"hints": '{"points": [[999, 1, "#fff"]]}'}, "outside the photograph"),
    "huge number": ({}, {"hints": '{"points": [[1' + "0" * 400 + ', 1, "#fff"]]}'}, "hints"),
    "color": ({}, {"hints": '{"points": [[9, 1, "#ggg"]]}'}, "'#ggg'"),
    "swatch": (
        {},
        {"hints": '{"swatches": [{"target_box": [0,0,9,9], "reference_box": [0,0,9,9], "reference": "x"}]}'},
        "swatches",
    ),
    "method": ({}, {"options": '{"method": "vivid"}'}, "'vivid'"),
    "needs a reference": ({}, {"options": '{"method": "welsh"}'}, "welsh"),
    "format": ({}, {"format": "svg"}, "'svg'"),
    "text as photograph": ({"photo": ("a.jpg", b"a letter " * 99)}, {}, "a.jpg: it is not a photograph"),
    "empty": ({"photo": ("a.jpg", b"")}, {}, "a.jpg is empty"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said_in_one_line(case, server, gray):
    files, fields, names = BAD[case]
    if case != "no photograph" and not files:
        files = {"photo": ("photo.png", gray)}
    given = {name: (None, value) for name, value in fields.items()} | files
    answer = server.client.post("/api/colorize", files=given)
    assert answer.status_code == 422, answer.text
    error = answer.json()["error"]
    assert names in error
    assert "\n" not in error


@pytest.mark.parametrize(
    ("method", "path", "given", "status"),
    [
        ("GET", "/nothing", {}, 404),
        ("GET", "/api/sessions/../../etc/passwd", {}, 404),
        ("POST", "/healthz", {}, 405),
        ("POST", "/api/colorize", {"json": {}}, 415),
        ("POST", "/api/sessions/none/preview", {"json": {"longer_side": 1}}, 422),
        ("POST", "/api/sessions/none/preview", {"json": {"colour": 1}}, 422),
        ("POST", "/api/sessions/none/suggest", {"content": b'{"x": NaN, "y": 1}'}, 422),
    ],
)
def test_errors_have_one_form(server, method, path, given, status):
    answer = server.client.request(method, path, **given)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"{", "application/json", "the body is not JSON (Expecting property name enclosed in double quotes"),
        (b"[]", "application/json", "the body is not a JSON object"),
        (b'{"longer_side": 64}', "application/x-www-form-urlencoded", "Content-Type: application/json"),
        (b'{"longer_sid": 64}', "application/json", "'longer_sid' is not understood"),
        (b'{"longer_side": "64 pixels"}', "application/json", "longer_side: "),
        (
            b'{"hints": ' + b"[" * 200_000,
            "application/json",
            "the body is not JSON (lists or objects are nested too",
        ),
        (
            b'{"longer_side": 1' + b"0" * 5000 + b"}",
            "application/json",
            "a whole number has more than 4300 digits",
        ),
        (b'{"hints": "\xff"}', "application/json", "byte 11 is not utf-8"),
    ],
)
def test_a_body_that_is_not_understood_is_named(server, gray, content, kind, said):
    session = server.begin(gray)
    answer = server.client.post(
        f"/api/sessions/{session['id']}/preview", content=content, headers={"Content-Type": kind}
    )
    assert (answer.status_code, said in answer.json()["error"]) == (422, True), answer.text


@pytest.mark.parametrize("path", ["/", "/studio.js", "/docs", "/docs.css"])
def test_a_page_that_the_browser_has_is_not_sent_again(server, path):
    """Tags are compared weakly, for proxies that compress make them weak (RFC 9110, 13.1.2)."""
    tag = server.client.get(path).headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', f'W/"other",W/{tag}', "*"):
        answer = server.client.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag), known
    several = [("If-None-Match", '"other"'), ("If-None-Match", tag)]
    assert server.client.get(path, headers=several).status_code == 304
    for unknown in ('"other"', tag.strip('"'), f'"*", "{tag[1:-2]}"', ""):
        assert server.client.get(path, headers={"If-None-Match": unknown}).status_code == 200, unknown


def test_the_examples_of_the_documentation_run(server, gray, reference, tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("the examples are for curl, which is not installed")
    (tmp_path / "photo.png").write_bytes(gray)
    (tmp_path / "reference.png").write_bytes(reference)
    document = server.client.get("/openapi.json").json()
    page = re.sub("</?code>", "`", server.client.get("/docs").text)
    environment = {**os.environ, "SERVER": server.url}
    shown = [said for *_, said in operations(document) if EXAMPLE in said]
    for said in sorted(shown, key=lambda each: " -X DELETE " in each[EXAMPLE]):
        command = said[EXAMPLE].replace("curl -s", "curl -s --fail-with-body")
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=environment, capture_output=True, check=False
        )
        assert done.returncode == 0, (command, done.stdout)
        if ID_VARIABLE in said:
            environment[said[ID_VARIABLE]] = json.loads(done.stdout)["id"]
    assert len(shown) >= 15
    assert all(said["description"].split(".")[0] in page.replace("&#x27;", "'") for said in shown)
    assert image((tmp_path / "colored.png").read_bytes()).shape[2] == 3


def test_every_route_is_documented(server):
    document = server.client.get("/openapi.json").json()
    assert all(said.get("description") for *_, said in operations(document))


def frames(count: int) -> bytes:
    stream = io.BytesIO()
    pages = [Image.new("L", (48, 32), 40 + 60 * number) for number in range(count)]
    pages[0].save(stream, "GIF", save_all=True, append_images=pages[1:])
    return stream.getvalue()


def test_what_was_decided_about_a_file_is_told(server):
    """The command line prints it; here it is a header, and `notes` in the session's JSON."""
    files = {"photo": ("three.gif", frames(3))}
    wanted = list(tinct.Photo.read(frames(3)).notes)
    assert wanted
    answer = server.client.post("/api/colorize", files=files, data={"format": "png"})
    assert json.loads(answer.headers["tinct-notes"]) == wanted
    said = server.client.post("/api/sessions", files=files).json()
    assert said["notes"] == wanted
    assert server.client.get(f"/api/sessions/{said['id']}").json()["notes"] == wanted
    saved = server.client.post(f"/api/sessions/{said['id']}/render", json={})
    assert json.loads(saved.headers["tinct-notes"]) == wanted
    server.client.delete(f"/api/sessions/{said['id']}")


def test_a_wish_that_cannot_be_met_is_told_with_the_preview(server):
    """The command line prints it with the result; whoever looks at a preview need not wait for that."""
    begun = server.begin(png(np.full((32, 48), 12, np.uint8)))
    points = [{"x": 5, "y": 6, "color": "#00ff00"}, {"x": 30, "y": 20, "color": "#0c0d0c"}]
    body = {"hints": {"points": points}, "options": {"method": "levin", "size": 32}, "longer_side": 32}
    shown = server.client.post(f"/api/sessions/{begun['id']}/preview", json=body)
    (note,) = json.loads(shown.headers["tinct-notes"])
    assert note.startswith("#00ff00 does not exist at the lightness of 5,6")
    saved = server.client.post(
        f"/api/sessions/{begun['id']}/render", json={k: body[k] for k in ("hints", "options")}
    )
    assert json.loads(saved.headers["tinct-notes"]) == [note]
    body["hints"]["points"] = points[1:]
    met = server.client.post(f"/api/sessions/{begun['id']}/preview", json=body)
    assert "tinct-notes" not in met.headers


@pytest.mark.parametrize("letter", ["a", "ä", "漢", "\N{WOMANS HAT}", '"', "\\"])
def test_the_notes_of_a_response_stay_within_their_bytes(letter):
    """A head of more than 8 KiB is refused by proxies and clients; a letter that is not ASCII takes up to 12 bytes."""
    notes = [f"{number}: {letter * 300}" for number in range(20)]
    header = picture_response(b"", notes).headers[NOTES_HEADER]
    assert len(header.encode("latin-1")) <= MOST_NOTE_BYTES
    longest = file_response(b"", "\N{WOMANS HAT}" * 120 + ".color.png", notes)
    head = [
        *longest.raw_headers,
        *((name.encode(), said.encode()) for name, said in SECURITY_HEADERS.items()),
    ]
    assert sum(len(name) + len(said) + 4 for name, said in head) < 8000
    kept = json.loads(header)
    assert kept
    assert kept == [one_line(note) for note in notes[: len(kept)]]


def test_a_file_of_which_nothing_is_to_be_said_has_no_notes(server):
    photo = png(np.full((32, 48), 99, np.uint8))
    assert "tinct-notes" not in server.client.post("/api/colorize", files={"photo": ("a.png", photo)}).headers
    assert server.begin(photo)["notes"] == []


def test_the_address_of_an_alternative_keeps_its_picture(server, gray):
    session = server.begin(gray)
    first = ask(server, session, "alternatives", count=2, longer_side=64).json()["alternatives"]
    before = [server.client.get(each["preview"]).content for each in first]
    hints = {"rectangles": [{"box": [0, 0, 150, 100], "color": "#2040c0"}]}
    others = ask(server, session, "alternatives", count=1, longer_side=64, hints=hints).json()["alternatives"]
    assert [server.client.get(each["preview"]).content for each in first] == before
    assert server.client.get(others[0]["preview"]).content not in before
    assert server.client.get(f"/api/sessions/{session['id']}/alternatives/0.webp").status_code == 404


def test_the_thumbnail_of_a_reference_that_goes_meanwhile_is_missing(server, gray, color, reference):
    session = server.begin(gray)
    place = f"/api/sessions/{session['id']}/references"
    two = [("reference", ("a.png", reference)), ("reference", ("b.png", png(color)))]
    assert server.client.put(place, files=two).status_code == 200
    assert server.client.get(f"{place}/2.png").status_code == 404
    with ThreadPoolExecutor(3) as pool:
        busy = pool.submit(ask, server, session, "render", options={"method": "gupta"})
        time.sleep(0.2)
        cleared = pool.submit(server.client.put, place, files={"weights": (None, "")})
        time.sleep(0.2)
        answer = server.client.get(f"{place}/1.png")
        assert (busy.result().status_code, cleared.result().status_code) == (200, 200)
    assert answer.status_code in (200, 404)  # 200 where the machine let it in before the references went


@pytest.mark.parametrize("weights", ["[1" + "0" * 400 + ",1]", "[1e400, 1]", '["a", 1]', "[null, 1]"])
def test_weights_that_are_no_numbers_are_refused(server, gray, reference, weights):
    session = server.begin(gray)
    form = [
        ("reference", ("a.png", reference)),
        ("reference", ("b.png", reference)),
        ("weights", (None, weights)),
    ]
    answer = server.client.put(f"/api/sessions/{session['id']}/references", files=form)
    assert answer.status_code == 422, answer.text
