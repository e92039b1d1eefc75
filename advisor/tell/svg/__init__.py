"""Charts as SVG text, to stand inside an HTML page that gives the classes their colours.

Each chart is drawn twice, wide and narrow, so that its words stay legible on a telephone; the page shows one.
"""
