"""What every page of ours must be, looked at in a browser: for report, proof and public list alike.

check(page, where) takes a Page of browser.py and returns a list of faults; contrast(css) judges the house's colours in each scheme.
"""
import re

# Pairs of house.css that stand on each other: text, ground, least ratio (WCAG 2.1: 4.5 for text, 3 for lines that carry meaning).
PAIRS = (
    ("text", "page", 4.5), ("text", "sheet", 4.5), ("text", "head", 4.5), ("quiet", "page", 4.5), ("quiet", "sheet", 4.5),
    ("quiet", "head", 4.5), ("accent", "page", 4.5), ("accent", "sheet", 4.5), ("bad", "sheet", 4.5), ("bad", "bad-sheet", 4.5),
    ("warn", "sheet", 4.5), ("warn", "warn-sheet", 4.5), ("good", "sheet", 4.5), ("text", "bad-sheet", 4.5),
    ("text", "warn-sheet", 4.5), ("accent", "bad-sheet", 4.5), ("accent", "warn-sheet", 4.5), ("accent2", "sheet", 3),
)


def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def ratio(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def contrast(css):
    """Faults of the colours in each :root of a style sheet: bright, dark, paper."""
    schemes = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in re.findall(r":root \{(.*?)\}", css, re.S)]
    schemes = [scheme for scheme in schemes if scheme]
    faults = [] if len(schemes) == 3 else ["%d colour schemes instead of 3" % len(schemes)]
    for scheme in schemes:
        for text, ground, least in PAIRS:
            have = ratio(scheme[text], scheme[ground])
            if have < least:
                faults.append("%s %s on %s %s: contrast %.2f, wanted %.1f" % (text, scheme[text], ground, scheme[ground], have, least))
    return faults


STRUCTURE = r"""(() => {
  const faults = [], all = (query) => Array.from(document.querySelectorAll(query));
  if (document.documentElement.lang !== "ja") faults.push("the language is not told");
  if (!document.title) faults.push("no title");
  if (all("h1").length !== 1) faults.push(all("h1").length + " h1");
  for (const query of ["main", "header", "meta[http-equiv=Content-Security-Policy]", "meta[name=viewport]", "a.skip[href='#main']"])
    if (all(query).length !== 1) faults.push("not exactly one " + query);
  let last = 0;
  for (const heading of all("h1, h2, h3, h4")) {
    const level = Number(heading.tagName[1]);
    if (level > last + 1) faults.push("heading level " + level + " behind " + last + ": " + heading.textContent);
    if (!heading.textContent.trim()) faults.push("an empty heading");
    last = level;
  }
  for (const table of all("table")) {
    const name = table.caption ? table.caption.textContent : "";
    if (!name.trim()) faults.push("a table without a caption");
    for (const cell of table.querySelectorAll("th"))
      if (!["col", "row"].includes(cell.scope)) faults.push(name + ": a head cell without scope");
    for (const cell of table.querySelectorAll("thead th"))
      if (!cell.textContent.trim()) faults.push(name + ": an empty head cell");
    for (const row of table.tBodies[0].rows) {
      if (!row.querySelector("th[scope=row]")) faults.push(name + ": a row without its head");
      if (row.cells.length !== table.tHead.rows[0].cells.length) faults.push(name + ": a row with another number of cells");
    }
  }
  for (const image of all("svg")) {
    const names = (image.getAttribute("aria-labelledby") || "").split(" ").map((id) => document.getElementById(id));
    if (image.getAttribute("role") !== "img" || names.length < 2 || names.some((node) => !node || !node.textContent.trim()))
      faults.push("a chart without a title and a description");
  }
  for (const image of all("img")) if (!image.alt) faults.push("an image without a text");
  for (const field of all("input:not([type=hidden]), select, textarea"))
    if (!field.labels.length && !field.getAttribute("aria-label")) faults.push("a field without a label");
  for (const link of all("a")) if (!link.textContent.trim()) faults.push("a link without a text");
  for (const link of all("a[href^='#']"))
    if (!document.getElementById(decodeURIComponent(link.hash.slice(1)))) faults.push("a link that leads nowhere: " + link.hash);
  const ids = all("[id]").map((node) => node.id);
  for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) faults.push("an id given twice: " + id);
  if (all("[style], [onclick], [onload], [onerror]").length) faults.push("an attribute that the policy forbids");
  if (document.documentElement.scrollWidth > innerWidth) faults.push("wider than the screen by " + (document.documentElement.scrollWidth - innerWidth));
  return faults;
})()"""


def check(page, where):
    faults = page.evaluate(STRUCTURE) + page.complaints()
    faults += ["asks for " + url for url in page.outside_requests()]
    for role, name, _ in page.tree():
        if role in ("table", "image", "img", "link", "button", "region", "navigation", "textbox", "combobox", "searchbox") and not name:
            faults.append("something of the role %s has no name" % role)
    return ["%s: %s" % (where, fault) for fault in faults]


FOCUS = r"""(() => {
  const node = document.activeElement, style = getComputedStyle(node);
  return [node.tagName, node.textContent.trim().slice(0, 40), style.outlineStyle, parseFloat(style.outlineWidth)];
})()"""


def focus_faults(page, steps=12):
    """Goes through the page with the Tab key: the skip link first, and the focus always to be seen."""
    faults = []
    for step in range(steps):
        page.key("Tab")
        tag, text, outline, width = page.evaluate(FOCUS)
        if step == 0 and (tag, text) != ("A", "本文へ移る"):
            faults.append("the first stop is not the skip link but %s %s" % (tag, text))
        if tag != "BODY" and (outline == "none" or width < 2):
            faults.append("the focus can't be seen on %s %s" % (tag, text))
    return faults
