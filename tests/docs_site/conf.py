# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Sphinx makes the site out of what antsibull-docs wrote. Nothing is asked of the network."""

from __future__ import annotations

from pathlib import Path

project = "secretops.infisical"
project_copyright = "secretops.infisical contributors"
html_title = project

extensions = ["sphinx_antsibull_ext"]
default_role = "any"
highlight_language = "YAML+Jinja"

nitpicky = True
# What stands in other projects' documentation, whose indexes are not here.
nitpick_ignore_regex = [
    ("std:ref", r"(?!ansible_collections\.secretops|plugins_in_secretops)[\w.]+"),
    ("std:envvar", r"ANSIBLE_\w+|(REQUESTS|CURL)_CA_BUNDLE"),
]

html_theme = "furo"
html_static_path = [str(Path(__file__).with_name("style.css"))]
html_css_files = ["style.css"]
html_copy_source = False
html_show_sphinx = False
html_use_index = False
# Each page that is found would be fetched for it, which a browser does not do without a server.
html_show_search_summary = False
pygments_style = "xcode"
pygments_dark_style = "github-dark"

# antsibull-docs' own tables have the colours of the theme, whose switch between light and dark they follow.
antsibull_ext_color_scheme = "none"
_BOTH = {
    "antsibull-links-background": "var(--color-brand-primary)",
    "antsibull-links-background-active": "var(--color-brand-content)",
    "antsibull-links-focus-outline": "var(--color-foreground-muted)",
    "antsibull-links-text": "var(--color-background-primary)",
    "antsibull-table-background-header": "var(--color-background-border)",
    "antsibull-table-background-even": "var(--color-background-secondary)",
    "antsibull-table-background-odd": "var(--color-background-primary)",
    "antsibull-table-border": "var(--color-background-border)",
    "antsibull-narrowtable-background": "var(--color-background-secondary)",
    "antsibull-option-sample-header": "var(--color-foreground-primary)",
    "antsibull-attribute-support-na": "inherit",
    "antsibull-deprecation-border": "var(--color-foreground-border)",
    "antsibull-deprecation-background": "var(--color-background-secondary)",
    "antsibull-deprecation-color": "var(--color-foreground-primary)",
}
_IN_LIGHT_AND_DARK = {
    ("#7a1fa2", "#d9a2ff"): ("option-type", "option-elements"),
    ("#b3261e", "#ff9b94"): ("option-required", "attribute-support-none"),
    ("#1b6e2d", "#7fd68f"): ("option-version-added", "option-aliases", "attribute-support-full"),
    ("#7a5b00", "#e2c15a"): ("attribute-support-partial",),
    ("#1f4fb8", "#9dbdff"): ("option-default", "option-sample"),
}


def _colours(scheme: int) -> dict[str, str]:
    inks = _IN_LIGHT_AND_DARK.items()
    return _BOTH | {f"antsibull-{name}": colours[scheme] for colours, names in inks for name in names}


html_theme_options = {
    "light_css_variables": {"color-code-background": "#f3f4f6", **_colours(0)},
    "dark_css_variables": _colours(1),
}
