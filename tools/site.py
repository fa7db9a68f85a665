"""Build the site of the documentation, with a gallery of photographs before and after: `python -m tools.site`.

Pages are the Markdown files of docs/, integrations/, examples/ and the repository's root; those that are new are found
by themselves. What they link to is copied along. Sphinx's warnings are errors, and every link is followed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer

from tinct.errors import TinctError
from tools import command

ROOT = Path(__file__).resolve().parents[1]
"""The repository's folder."""

PAGES = ("*.md", "docs/**/*.md", "integrations/*/README.md", "examples/*.md")
"""Patterns of the repository's pages that the site has."""

OUTSIDE = ("README.md",)
"""Pages of the repository whose place docs/index.md takes."""

SHOWN = {
    "astronaut-alone": "Nothing given. Eileen Collins; NASA, public domain.",
    "astronaut": "Points and strokes. Eileen Collins; NASA, public domain.",
    "coffee": "Points and a stroke. Photograph by Rachel Michetti, CC0.",
    "cat": "Points. Chelsea, photograph by Stéfan van der Walt, CC0.",
    "rocket": "Points. SpaceX, CC0.",
}
"""Examples of `tinct demo` that the gallery shows, with what was given and whose the photograph is."""

QUALITY = 88
"""Of the gallery's JPEG files."""

_LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)\s]*)?\)")

_FIGURE = """<figure class="before-after">
<img src="../_static/gallery/{name}.before.jpg" alt="{name}, black and white" width="{width}" height="{height}">
<img class="after" src="../_static/gallery/{name}.after.jpg" alt="{name}, colorized" width="{width}" height="{height}">
<input type="range" min="0" max="100" value="50" aria-label="{name}: divider between before and after, in percent">
</figure>

{says}
"""


def pages() -> Iterator[Path]:
    """The Markdown files of the site, relative to the repository's root."""
    for pattern in PAGES:
        for path in sorted(ROOT.glob(pattern)):
            if path.relative_to(ROOT).as_posix() not in OUTSIDE:
                yield path.relative_to(ROOT)


def gather(source: Path) -> None:
    """Copy the pages, and the files that they link to, as they lie in the repository."""
    shutil.copytree(ROOT / "docs" / "site", source / "docs" / "site")
    shutil.copytree(ROOT / "docs" / "site" / "static", source / "_static")
    wanted = {Path("src/tinct/version.py")}
    for page in pages():
        wanted.add(page)
        for target in _LINK.findall((ROOT / page).read_text(encoding="utf-8")):
            linked = (ROOT / page.parent / target).resolve()
            if linked.is_file() and linked.is_relative_to(ROOT):
                wanted.add(linked.relative_to(ROOT))
    for path in wanted - {Path(each) for each in OUTSIDE}:
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, source / path)
        if path.suffix == ".md":
            text = (ROOT / path).read_text(encoding="utf-8")
            (source / path).write_text(without_folder_links(text, path.parent), encoding="utf-8")


def without_folder_links(text: str, folder: Path) -> str:
    """A page whose links to folders are their words alone: a site has no page for a folder.

    Args:
        text: the page.
        folder: the page's own, relative to the repository's root.
    """

    def kept(link: re.Match[str]) -> str:
        return link[1] if (ROOT / folder / link[2]).is_dir() else link[0]

    return re.sub(r"\[([^\]]+)\]\(([^)#:\s]+)\)", kept, text)


def make_gallery(source: Path) -> None:
    """Colorize the gallery's photographs, and write its page."""
    from PIL import Image

    from tinct.demo import EXAMPLES, run_demo

    run_demo(source / "demo", [each for each in EXAMPLES if each.name in SHOWN])
    folder = source / "_static" / "gallery"
    folder.mkdir(parents=True)
    figures = []
    for name, says in SHOWN.items():
        for suffix, side in ((".png", "before"), (".color.png", "after")):
            with Image.open(source / "demo" / f"{name}{suffix}") as picture:
                picture.convert("RGB").save(folder / f"{name}.{side}.jpg", quality=QUALITY)
                width, height = picture.size
        figures.append(_FIGURE.format(name=name, says=says, width=width, height=height))
    head = (
        "# Gallery\n\nGray photographs, and what this version of tinct makes of them; move the divider.\n\n"
    )
    (source / "docs" / "gallery.md").write_text(head + "\n".join(figures), encoding="utf-8")
    shutil.rmtree(source / "demo")


def build(source: Path, out: Path) -> None:
    """Run Sphinx; a warning ends it.

    Raises:
        typer.Exit: if there is one; Sphinx has said which.
    """
    line = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-E", "-b", "html"]
    command_line = [*line, "-c", str(source / "docs" / "site"), str(source), str(out)]
    if subprocess.run(command_line, check=False).returncode:
        raise typer.Exit(1)


class _Page(HTMLParser):
    """A page's links, and the names that a link may point at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
            elif name in ("id", "name") and value:
                self.names.add(value)


def check_links(out: Path) -> None:
    """Follow every link of the site to its file and to the place in it; other hosts are not asked.

    Raises:
        TinctError: with the first link that leads nowhere, and how many there are.
    """
    found = {path: _Page(path.read_text(encoding="utf-8")) for path in sorted(out.rglob("*.html"))}
    broken = [
        f"{path.relative_to(out)} links to {link}"
        for path, page in found.items()
        for link in page.links
        if not _leads_somewhere(path, link, found)
    ]
    if broken:
        raise TinctError(f"{len(broken)} links lead nowhere: {'; '.join(broken[:5])}.")
    typer.echo(f"{len(found)} pages, {sum(len(page.links) for page in found.values())} links")


def _leads_somewhere(page: Path, link: str, found: dict[Path, _Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page.resolve()
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return False
    other = next((each for path, each in found.items() if path.resolve() == target), None)
    return not parts.fragment or other is None or unquote(parts.fragment) in {*other.names, "top"}


def main(
    out: Annotated[Path, typer.Option("--out", help="Folder for the site; it is made anew.")] = Path(
        "build/site"
    ),
) -> None:
    """Build the site, gallery and all, and follow its links."""
    source = out.with_name(f"{out.name}.source")
    for folder in (source, out):
        shutil.rmtree(folder, ignore_errors=True)
    gather(source)
    make_gallery(source)
    build(source, out)
    check_links(out)
    typer.echo(f"the site: {(out / 'index.html').resolve()}")


if __name__ == "__main__":
    sys.exit(command.run("site", main))
