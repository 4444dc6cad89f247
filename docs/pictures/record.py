"""Runs the demo until its model has recovered, and keeps the last screen as a picture.

.venv/bin/python docs/pictures/record.py docs/pictures/demo.svg
"""

import asyncio
import io
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console, RenderableType
from rich.terminal_theme import TerminalTheme

from streams.demo import Demo, DemoOptions, Rates, free_port
from streams.terminal import WIDTH, screen

# The new version's own windows are to be seen, and the incident to be over.
WINDOWS_AFTER = 5
LONGEST_S = 240.0
THEME = TerminalTheme(
    background=(22, 27, 34),
    foreground=(201, 209, 217),
    normal=[
        *((72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34)),
        *((88, 166, 255), (188, 140, 255), (57, 197, 207), (201, 209, 217)),
    ],
    bright=[
        *((110, 118, 129), (255, 161, 152), (86, 211, 100), (227, 179, 65)),
        *((121, 192, 255), (210, 168, 255), (86, 212, 221), (255, 255, 255)),
    ],
)
# That of most monospaced fonts; where the one at hand differs, the runs' lengths put it right.
FONT_ASPECT_RATIO = 0.602
# Fonts that are there: a picture fetches nothing. Every run of text has its length, so any of them fits.
FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; white-space: pre; }}
.{unique_id}-title {{ font-size: 16px; font-family: ui-sans-serif, Helvetica, Arial, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


async def recovered(directory: Path) -> RenderableType:
    """The demo's screen once the loop has closed. Raises TimeoutError when it does not."""
    async with AsyncExitStack() as stack, asyncio.timeout(LONGEST_S):
        options = DemoOptions(port=free_port(0))
        demo = Demo(options, directory, stack)
        await demo.start()
        rates, clock = Rates(), asyncio.get_running_loop().time
        while not (demo.story.recovered and _shown(demo) >= WINDOWS_AFTER):
            await demo.step()
            speed = rates.update(clock(), demo.story.sent)
            await asyncio.sleep(0.25)
        urls = {"metrics": "http://127.0.0.1:6066/metrics", "health": "http://127.0.0.1:6066/healthz"}
        return screen(demo.story, speed, urls, "Ctrl-C ends it.")


def _shown(demo: Demo) -> int:
    version = demo.story.serving
    return sum(point.version == version and point.accuracy is not None for point in demo.story.points)


def picture(view: RenderableType) -> str:
    """The view as SVG."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(view)
    return console.export_svg(
        title="inferwatch demo", theme=THEME, code_format=FORMAT, unique_id="demo", font_aspect_ratio=FONT_ASPECT_RATIO
    )


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="inferwatch-picture-") as name:
        view = asyncio.run(recovered(Path(name)))
    Path(sys.argv[1]).write_text(picture(view))


if __name__ == "__main__":
    main()
