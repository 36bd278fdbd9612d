"""What a build adds to pyproject.toml: the readme and, where it is known, the repository's address.

A release names the address in GDBENCH_REPOSITORY. The readme's links to files are then absolute, of the released version's tag,
so that they and its figure work on the package index too; elsewhere they stay as they are.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class CustomMetadataHook(MetadataHookInterface):
    """Adds ``readme`` and ``urls``."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Change the project's table in place."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        address = os.environ.get("GDBENCH_REPOSITORY", "").rstrip("/")
        metadata["urls"] = urls(address)
        if address:
            text = with_absolute_links(text, address, f"v{metadata['version']}")
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def urls(address: str) -> dict[str, str]:
    """The project's addresses; none where the repository's is not known."""
    if not address:
        return {}
    return {"Source": address, "Issues": f"{address}/issues", "Changelog": f"{address}/blob/main/CHANGELOG.md"}


def with_absolute_links(text: str, address: str, tag: str) -> str:
    """Markdown whose links to files and figures lead to those of a tag in a repository."""
    text = re.sub(r"(!\[[^\]]*\]\()(?![a-z]+:|#)", rf"\g<1>{address}/raw/{tag}/", text)
    return re.sub(r"((?<!\!)\[[^\]]*\]\()(?![a-z]+:|#)", rf"\g<1>{address}/blob/{tag}/", text)
