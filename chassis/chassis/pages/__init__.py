"""Pages as every service that has some shows them: one look, live while they are looked at, by keyboard too."""

from chassis.pages.live import Live, LiveSettings, Rendered, View
from chassis.pages.rendering import PageFile, Templates, page_files
from chassis.pages.words import Saying, clause, gap

__all__ = [
    "Live",
    "LiveSettings",
    "PageFile",
    "Rendered",
    "Saying",
    "Templates",
    "View",
    "clause",
    "gap",
    "page_files",
]
