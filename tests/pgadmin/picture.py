#!/usr/bin/env python3
"""Takes the picture of pgAdmin's page: a server that pgcred's command has connected, and a query on it.

picture.py ADDRESS SERVER FILE; needs Playwright and a Chromium, which the tests do not. See run.sh."""
import os
import sys

from playwright.sync_api import sync_playwright

QUERY = "select current_user, 'no password was typed' as note"
EDITOR = (500, 240)  # inside the editor, which is in a frame of its own

address, server, file = sys.argv[1:]
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(
        executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox", "--no-proxy-server"]
    )
    page = browser.new_page(viewport={"width": 1000, "height": 560})
    page.goto(f"{address}/browser/")
    page.wait_for_timeout(6000)
    for name in ("Servers", "pgcred", server, "Databases", "postgres"):
        item = page.locator(f".file-entry:has-text('{name}')").last
        item.wait_for(timeout=20000)
        if name in ("Servers", "pgcred") and page.locator(f".file-entry:has-text('{server}')").count():
            continue  # its directory is open already
        item.dblclick()
        page.wait_for_timeout(2500)
    # A query tab has a connection of its own, and so asks pgcred for a token of its own.
    page.locator("[aria-label='Query Tool']").first.click()
    page.wait_for_timeout(6000)
    page.mouse.click(*EDITOR)
    page.wait_for_timeout(2000)  # letters that come before the editor is ready are lost
    page.keyboard.type(QUERY, delay=20)
    page.keyboard.press("F5")
    page.wait_for_timeout(5000)
    page.screenshot(path=file)
    browser.close()
