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
from pathlib import Path
from typing import Annotated

import typer

from tools import command

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("*.md", "docs/**/*.md", "integrations/*/README.md", "examples/*.md")
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

LINKS = """[AnchorCheck]

[filtering]
checkextern=0
ignorewarnings=http-robots-denied,file-missing-slash
"""
"""linkchecker's settings: files and their anchors, no other host."""


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
    wanted = {Path("src/tinct/__init__.py")}
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


def check_links(source: Path, out: Path) -> None:
    """Follow every link of the site to its file and anchor.

    Raises:
        typer.Exit: if one leads nowhere; linkchecker has said which.
    """
    settings = source / "linkcheckerrc"
    settings.write_text(LINKS)
    program = Path(sys.executable).with_name("linkchecker")
    line = [str(program), "--config", str(settings), "--no-status", str(out / "index.html")]
    if subprocess.run(line, check=False).returncode:
        raise typer.Exit(1)


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
    check_links(source, out)
    typer.echo(f"the site: {(out / 'index.html').resolve()}")


if __name__ == "__main__":
    sys.exit(command.run("site", main))
