"""Sphinx's settings for the site that `make site` builds; pages are Markdown, by MyST."""

import re
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]

project = "tinct"
copyright = "the authors of tinct"
release = re.search(r'__version__ = "(.+)"', (SOURCE / "src/tinct/version.py").read_text())[1]
extensions = ["myst_parser"]
root_doc = "docs/index"
exclude_patterns = ["**/tests/**"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 4
nitpicky = True

html_theme = "furo"
html_title = "tinct"
html_static_path = ["../../_static"]
html_css_files = ["before-after.css"]
html_js_files = ["before-after.js"]
html_extra_path = ["entrance"]
html_copy_source = False
