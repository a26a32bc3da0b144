"""`make bench ARGS="pages-browser"`: the pages as a reader has them, in a real browser.

`command` runs it all; each other module measures one thing, on a page that it is given, so that the
tests of the pages measure the same in short.
"""
