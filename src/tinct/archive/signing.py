"""Content credentials (C2PA): a signed statement in a file of its source and the steps of its making."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinct.errors import MissingExtraError, OptionError, OutputError
from tinct.version import __version__

if TYPE_CHECKING:
    from tinct.photo import Provenance

MEDIA_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "webp": "image/webp",
}
"""Media types that can hold a C2PA manifest, by a file's suffix."""

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""Beginning of IPTC's URIs of digital source types."""


def check_signing(certificate: str, key: str) -> None:
    """Refuse credentials that cannot sign, before any work is done.

    Raises:
        MissingExtraError: if c2pa-python is not installed.
        OptionError: if a file is missing, or certificate and key do not make a signer.
    """
    _signer(certificate, key).close()


def signed(
    picture: bytes, suffix: str, original: bytes, provenance: Provenance, certificate: str, key: str
) -> bytes:
    """A result's file with a signed C2PA manifest: opened from the original, colors edited by tinct.

    Nothing may be written into the file afterwards, or the signature no longer holds.

    Args:
        picture: the result's file.
        suffix: its format, such as "png".
        original: the photograph's file, which becomes the parent ingredient.
        provenance: the record of the colorization.
        certificate: path of a PEM file with the chain of certificates.
        key: path of a PEM file with the private key (ES256).
    Raises:
        MissingExtraError: if c2pa-python is not installed.
        OptionError: if the credentials cannot sign.
        OutputError: if the format holds no manifest.
    """
    c2pa = _c2pa()
    kind = MEDIA_TYPES.get(suffix)
    if kind is None:
        raise OutputError(
            f"{suffix} files hold no content credentials; write {', '.join(sorted(MEDIA_TYPES))}."
        )
    destination = io.BytesIO()
    signer = _signer(certificate, key)
    try:
        with c2pa.Builder(json.dumps(_manifest(provenance)), _context(c2pa)) as builder:
            parent = {"title": "original photograph", "relationship": "parentOf", "label": "original"}
            builder.add_ingredient(json.dumps(parent), _media_type(original), io.BytesIO(original))
            builder.sign(signer, kind, io.BytesIO(picture), destination)
    except c2pa.C2paError as error:
        raise OutputError(f"the result cannot be signed ({' '.join(str(error).split())[:150]}).") from None
    finally:
        signer.close()
    return destination.getvalue()


def credentials(picture: bytes, suffix: str) -> dict[str, Any]:
    """The C2PA manifest store of a file, as c2pa's own reader validates it.

    Raises:
        OutputError: if the file has no manifest store.
    """
    c2pa = _c2pa()
    try:
        with c2pa.Reader(MEDIA_TYPES[suffix], io.BytesIO(picture)) as reader:
            found: dict[str, Any] = json.loads(reader.json())
    except c2pa.C2paError as error:
        raise OutputError(
            f"there are no content credentials ({' '.join(str(error).split())[:150]})."
        ) from None
    return found


def _manifest(provenance: Provenance) -> dict[str, Any]:
    """The C2PA manifest of a result: opened from the original, edited by an algorithm, its colors adjusted."""
    composite = (
        "compositeWithTrainedAlgorithmicMedia" if provenance.weights_sha256 else "algorithmicallyEnhanced"
    )
    agent = {"name": "tinct", "version": __version__}
    details = {"method": provenance.method}
    if provenance.weights_sha256:
        details["weights_sha256"] = provenance.weights_sha256
    actions: list[dict[str, Any]] = [
        {"action": "c2pa.opened", "softwareAgent": agent, "parameters": {"ingredientIds": ["original"]}},
        {"action": "c2pa.edited", "softwareAgent": agent, "digitalSourceType": SOURCE_TYPE + composite},
        {"action": "c2pa.color_adjustments", "softwareAgent": agent, "parameters": details},
    ]
    return {
        "claim_generator_info": [agent],
        "title": "colorized photograph",
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
    }


def _context(c2pa: Any) -> Any:
    settings = {"builder": {"thumbnail": {"enabled": False}}, "verify": {"verify_after_sign": False}}
    return c2pa.Context.from_dict(settings)


def _media_type(original: bytes) -> str:
    from tinct.photo.formats import sniff

    kind = (sniff(original[:16]) or "").lower()
    return MEDIA_TYPES.get(kind, f"image/{kind or 'octet-stream'}")


def _signer(certificate: str, key: str) -> Any:
    """A signer by ES256.

    Args:
        certificate, key: paths of PEM files.
    Raises:
        MissingExtraError: if c2pa-python is not installed.
        OptionError: if a file cannot be read, or the two do not make a signer.
    """
    c2pa = _c2pa()
    try:
        chain, private = Path(certificate).read_bytes(), Path(key).read_bytes()
    except OSError as error:
        raise OptionError(
            f"{error.filename} cannot be read ({error.strerror}); --c2pa wants CERT and KEY."
        ) from None
    try:
        info = c2pa.C2paSignerInfo(c2pa.C2paSigningAlg.ES256, chain, private, None)
        return c2pa.Signer.from_info(info)
    except (c2pa.C2paError, ValueError, TypeError) as error:
        said = " ".join(str(error).split())[:150]
        raise OptionError(
            f"{certificate} and {key} cannot sign ({said}); give an ES256 certificate and its key."
        ) from None


def _c2pa() -> Any:
    try:
        import c2pa
    except ImportError:
        raise MissingExtraError("content credentials need c2pa-python: pip install 'tinct[c2pa]'.") from None
    return c2pa
