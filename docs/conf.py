"""The documentation's settings. `make docs` builds it."""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import reference  # noqa: E402

import gdbench  # noqa: E402

project = "gdbench"
author = "gdbench developers"
copyright = "gdbench developers"
version = release = gdbench.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]

#: The pages that are made from the code, before Sphinx reads them.
reference.write(HERE / "generated")

templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates", "generated", "examples"]

myst_enable_extensions = ["deflist", "colon_fence"]
myst_heading_anchors = 3

autodoc_typehints = "none"
autosummary_generate = True
add_module_names = False
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": "plot_",
    "abort_on_example_error": True,
    "only_warn_on_example_error": False,
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,  # a page that loads scripts from the network
    "show_signature": False,
    "download_all_examples": False,
    "within_subsection_order": "FileNameSortKey",
    "min_reported_time": 0,
    "backreferences_dir": None,
}

# --json is no dash with a j
smartquotes = False

html_theme = "pydata_sphinx_theme"
html_title = f"gdbench {release}"
# Everything that a page needs lies beside it: the site works offline, from disk.
html_theme_options = {
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "navigation_with_keys": False,
    "show_toc_level": 2,
}
html_sidebars = {name: [] for name in ("index", "start", "measuring", "suites", "cli", "results", "limits", "speed", "glossary")}
html_sidebars |= {"contributing": [], "changelog": []}
html_context = {"default_mode": "auto"}
html_show_sourcelink = False
html_copy_source = False


def as_text(app, what, name, obj, options, lines):
    """Escape what docstrings mean as text: the bars of |x|, and the initial of "J. Doe", which begins no list."""
    for number, line in enumerate(lines):
        parts = re.split(r"(``.*?``|`.*?`)", re.sub(r"^(\s*[A-Z])\. ", r"\1\\. ", line))
        lines[number] = "".join(part if part.startswith("`") else part.replace("|", "\\|") for part in parts)


def setup(app):
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", as_text, priority=100)
