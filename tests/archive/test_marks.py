"""Laws of what marks a result: the visible label, content credentials, IIIF manifests."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fsspec", reason="archives need fsspec and pyarrow")

from archive.archive_scene import QUICK, write_hints, write_photographs
from tinct.archive.entry import DONE, Entry
from tinct.archive.iiif import iiif_manifest
from tinct.archive.label import labeled
from tinct.archive.manifest import plan
from tinct.archive.worker import Job, Worker
from tinct.cli import run
from tinct.errors import OptionError, OutputError
from tinct.photo import Photo, Provenance


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [3, 4])
def test_a_label_stands_below_the_picture_and_changes_none_of_it(dtype: str, channels: int):
    top = np.iinfo(dtype).max
    pixels = np.random.default_rng(0).integers(0, top, (120, 300, channels)).astype(dtype)
    result = labeled(Photo.from_array(pixels), "Colorized: the colors are inferred").to_array()
    np.testing.assert_array_equal(result[:120], pixels)
    strip = result[120:, :, :3]
    assert strip.shape[0] >= 12
    assert (strip == strip[..., :1]).all()
    assert strip.max() > 0.9 * top  # white letters
    assert np.median(strip) == 0  # on black
    if channels == 4:
        assert (result[120:, :, 3] == top).all()


def test_a_label_is_one_line():
    photo = Photo.from_array(np.zeros((20, 30, 3), np.uint8))
    for text in ("", "  ", "two\nlines"):
        with pytest.raises(OptionError, match="one line"):
            labeled(photo, text)


@pytest.mark.parametrize("letter", "üßŁřéяΩ")
def test_letters_of_a_label_are_drawn_each_as_itself(letter: str):
    photo = Photo.from_array(np.zeros((200, 400, 3), np.uint8))
    strips = [labeled(photo, f"{each} 1938").to_array()[200:] for each in (letter, "o", "Q")]
    assert not any((strips[0] == other).all() for other in strips[1:])


def test_letters_that_cannot_be_drawn_are_named_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    write_photographs(tmp_path / "in", 1, side=60)
    assert run(["batch", "plan", str(tmp_path / "in"), "-o", str(tmp_path / "in.csv")]) == 0
    assert (
        run(["batch", "start", str(tmp_path / "in.csv"), "--out", str(tmp_path / "out"), "--label", "漢字"])
        == 2
    )
    assert "漢 字" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_long_label_is_whole_in_several_lines():
    photo, words = Photo.from_array(np.zeros((100, 200, 3), np.uint8)), "colors are inferred " * 6
    one, several = (labeled(photo, text).to_array()[100:, :, 0] for text in ("colors", words))
    assert several.shape[0] > 3 * one.shape[0] / 2
    assert (several[:, -3:] == 0).all()
    columns = [np.flatnonzero(part.any(0)).max() for part in np.array_split(several, 2)]
    assert min(columns) > 100


def test_a_batch_labels_its_results(tmp_path: Path):
    write_photographs(tmp_path / "in", 1, side=60)
    (row,) = plan(str(tmp_path / "in"), hints=write_hints(tmp_path), options=QUICK)
    entry = Worker(Job(str(tmp_path / "out"), label="Colorized")).process(row)
    assert entry.status == DONE, entry.message
    with Image.open(tmp_path / "out" / entry.output) as image:
        assert image.size == (68, 76)


def credentials_pair(folder: Path) -> tuple[str, str]:
    """A certificate for signing content, by a certificate authority of its own, and its key."""
    x509 = pytest.importorskip("cryptography.x509", reason="certificates are made by cryptography")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.datetime.now(datetime.UTC)
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"),
        False,
    ) | {"decipher_only": False}

    def name(text: str):
        organization = x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Test")
        return x509.Name([organization, x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    def made(subject: str, issuer: str, key, issuer_key, authority: bool):
        signing = x509.KeyUsage(
            digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **usage
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
            .add_extension(signing, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
            )
        )
        if not authority:
            purpose = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION])
            builder = builder.add_extension(purpose, critical=False)
        return builder.sign(issuer_key, hashes.SHA256())

    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = made("Test authority", "Test authority", root_key, root_key, True)
    leaf = made("Test signer", "Test authority", key, root_key, False)
    pem = serialization.Encoding.PEM
    chain = leaf.public_bytes(pem) + root.public_bytes(pem)
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "cert.pem").write_bytes(chain)
    (folder / "key.pem").write_bytes(private)
    return str(folder / "cert.pem"), str(folder / "key.pem")


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_content_credentials_are_valid_for_c2pas_own_reader(tmp_path: Path, suffix: str):
    pytest.importorskip("c2pa", reason="content credentials need c2pa-python")
    from tinct.archive.signing import credentials, signed

    (path,) = write_photographs(tmp_path, 1, side=60)
    picture = Photo.from_array(np.full((60, 68, 3), 120, np.uint8)).encode(suffix)
    said = Provenance("tinct", "a" * 64)
    whole = signed(picture, suffix, path.read_bytes(), said, *credentials_pair(tmp_path))
    store = credentials(whole, suffix)
    manifest = store["manifests"][store["active_manifest"]]
    actions = next(a for a in manifest["assertions"] if a["label"].startswith("c2pa.actions"))["data"][
        "actions"
    ]
    assert [action["action"] for action in actions] == [
        "c2pa.opened",
        "c2pa.edited",
        "c2pa.color_adjustments",
    ]
    assert actions[1]["digitalSourceType"].endswith("compositeWithTrainedAlgorithmicMedia")
    assert actions[2]["parameters"]["weights_sha256"] == "a" * 64
    assert [each["relationship"] for each in manifest["ingredients"]] == ["parentOf"]
    codes = {status["code"] for status in store.get("validation_status", [])}
    assert codes <= {"signingCredential.untrusted"}, codes  # a certificate of our own is known to nobody
    np.testing.assert_allclose(Photo.read(whole).to_array(), Photo.read(picture).to_array())


def test_a_changed_picture_no_longer_bears_its_credentials(tmp_path: Path):
    pytest.importorskip("c2pa", reason="content credentials need c2pa-python")
    from tinct.archive.signing import credentials, signed

    (path,) = write_photographs(tmp_path, 1, side=60)
    picture = Photo.from_array(np.full((60, 68, 3), 120, np.uint8)).encode("png")
    whole = signed(picture, "png", path.read_bytes(), Provenance("levin"), *credentials_pair(tmp_path))
    place = whole.rindex(b"IDAT") + 12
    altered = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
    codes = {status["code"] for status in credentials(altered, "png").get("validation_status", [])}
    assert "assertion.dataHash.mismatch" in codes


def test_credentials_that_cannot_sign_are_refused_before_any_work(tmp_path: Path):
    pytest.importorskip("c2pa", reason="content credentials need c2pa-python")
    from tinct.archive.signing import check_signing, signed

    (tmp_path / "wrong.pem").write_text("no certificate")
    for pair in (("none.pem", "none.pem"), (str(tmp_path / "wrong.pem"),) * 2):
        with pytest.raises(OptionError):
            check_signing(*pair)
    with pytest.raises(OutputError, match="hold no content credentials"):
        signed(b"", "bmp", b"", Provenance("levin"), "a", "b")


def test_a_iiif_canvas_offers_the_original_first():
    entry = Entry(1, "https://x/a b.tif", DONE, output="0001.png", width=640, height=480, method="tinct")
    manifest = json.loads(iiif_manifest(entry, "https://x/iiif/", entry.uri, "https://x/out/0001.png"))
    (canvas,) = manifest["items"]
    body = canvas["items"][0]["items"][0]["body"]
    assert (manifest["type"], canvas["type"], body["type"]) == ("Manifest", "Canvas", "Choice")
    assert [(image["id"], image["format"]) for image in body["items"]] == [
        ("https://x/a%20b.tif", "image/tiff"),
        ("https://x/out/0001.png", "image/png"),
    ]
    assert (canvas["width"], canvas["height"]) == (640, 480)
    assert canvas["items"][0]["items"][0]["target"] == canvas["id"]
