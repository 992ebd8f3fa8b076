"""Sphinx's configuration; `make docs` builds the site in dist/docs/."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("_extensions")))

project = "The sandbox"
author = "the sandbox authors"
project_copyright = "the sandbox authors"
version = release = version_of("rl-sandbox")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "docstrings",
    "members",
    "repository_files",
]
exclude_patterns = ["_build", "_extensions"]
source_suffix = {".md": "markdown"}

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
myst_links_external_new_tab = True

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 100
add_module_names = False
napoleon_google_docstring = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = f"The sandbox {version}"
html_static_path = ["_static", "videos"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_search_summary = False  # summaries are fetched, which browsers refuse for pages from a folder
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}
pygments_style = "friendly"
copybutton_exclude = ".linenos, .gp, .go, .c1"  # comments behind commands are not copied
highlight_language = "sh"
