"""Questions with the passages that answer them, in German and in English: from Debian's FAQ.

python3 faq.py ROOT OUT: ROOT holds the unpacked packages debian-faq and debian-faq-de. A question is
the title of a section, its answer the section's own text, without the title and without sections within
it. Sections are numbered alike in both languages, so the same judgements hold for each pair of them.
Writes corpus.LANG.jsonl, queries.LANG.jsonl and qrels.tsv. The text is the packages' (GPL-2+): it stays
out of this repository.
"""

import glob
import json
import os
import re
import sys
import warnings
from collections import Counter

from bs4 import BeautifulSoup, XMLParsedAsHTMLWarning

warnings.filterwarnings("ignore", category=XMLParsedAsHTMLWarning)

PAGES = {
    "en": "usr/share/doc/debian/FAQ/*.html",
    "de": "usr/share/doc/debian/FAQ/de/*.html",
}
# Shorter sections say nothing by themselves.
MIN_CHARS = 150


def plain(text):
    return re.sub(r"\s+", " ", text).strip()


def sections(pattern):
    """(chapter, number) to (title, text)."""
    found = {}
    for path in sorted(glob.glob(pattern)):
        with open(path, encoding="utf8") as page:
            soup = BeautifulSoup(page.read(), "lxml")
        chapter = os.path.basename(path).split(".")[0]
        for section in soup.select("div.section"):
            titlepage = section.find("div", class_="titlepage")
            heading = titlepage and titlepage.find(["h2", "h3", "h4", "h5"])
            if not heading:
                continue
            title = plain(heading.get_text(" "))
            number = re.match(r"^([A-Z]?[\d.]+)", title)
            if not number:
                continue
            own = []
            for child in section.children:
                is_tag = getattr(child, "get", None) is not None
                if not is_tag or child is titlepage or "section" in (child.get("class") or []):
                    continue
                own.append(plain(child.get_text(" ")))
            title = re.sub(r"^[A-Z]?[\d.]+\s*", "", title)
            found[(chapter, number.group(1))] = (title, plain(" ".join(own)))
    return found


def lines(path, rows):
    with open(path, "w", encoding="utf8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def main(root, out):
    both = {lang: sections(os.path.join(root, pages)) for lang, pages in PAGES.items()}
    english, german = both["en"], both["de"]
    keys = [
        key
        for key in english
        if key in german and min(len(english[key][1]), len(german[key][1])) >= MIN_CHARS
    ]
    # A title that several sections have asks for none of them.
    titles = [Counter(texts[key][0].lower() for key in keys) for texts in (english, german)]
    asked = [
        key
        for key in keys
        if titles[0][english[key][0].lower()] == titles[1][german[key][0].lower()] == 1
    ]
    os.makedirs(out, exist_ok=True)
    name = lambda key: f"faq:{key[0]}:{key[1]}"
    for lang, texts in both.items():
        passages = ({"_id": name(key), "text": texts[key][1]} for key in keys)
        questions = ({"_id": "q:" + name(key), "text": texts[key][0]} for key in asked)
        lines(os.path.join(out, f"corpus.{lang}.jsonl"), passages)
        lines(os.path.join(out, f"queries.{lang}.jsonl"), questions)
    with open(os.path.join(out, "qrels.tsv"), "w", encoding="utf8") as file:
        file.write("query-id\tcorpus-id\tscore\n")
        for key in asked:
            file.write(f"q:{name(key)}\t{name(key)}\t1\n")
    print(f"{len(keys)} passages, {len(asked)} questions in each language")


if __name__ == "__main__":
    main(*sys.argv[1:3])
