#!/usr/bin/env python3
"""Keeps documents with all their versions in a Holdfast server; with Python's standard library alone.

    holdfast serve                                        # in another window
    documents.py save letters/offer.txt offer.txt
    documents.py history letters/offer.txt
    documents.py fetch letters/offer.txt old.txt --version 3f1c
    documents.py list letters/

HOLDFAST_URL is the address of the server, HOLDFAST_TOKEN what it asks for where it asks for one.
"""
import argparse
import base64
import hashlib
import json
import os
import shutil
import sys
import urllib.error
import urllib.parse
import urllib.request

URL = os.environ.get("HOLDFAST_URL", "http://127.0.0.1:7070").rstrip("/")
TOKEN = os.environ.get("HOLDFAST_TOKEN")
PIECE_BYTES = 1024 * 1024


def request(method, route, key="", query=None, headers=None, body=None):
    """One request; whoever calls this closes the answer."""
    path = f"{route}/{urllib.parse.quote(key)}" if key else route
    asked = {name: value for name, value in (query or {}).items() if value is not None}
    address = URL + path + ("?" + urllib.parse.urlencode(asked) if asked else "")
    sent = urllib.request.Request(address, data=body, method=method, headers=headers or {})
    if TOKEN:
        sent.add_header("Authorization", f"Bearer {TOKEN}")
    return urllib.request.urlopen(sent)


def digest_field(path):
    """The SHA-256 of a file as RFC 9530 writes it: the server refuses a body that does not have it."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(PIECE_BYTES), b""):
            digest.update(piece)
    return f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"


def save(arguments):
    headers = {
        "Content-Type": arguments.type,
        "Content-Length": str(os.path.getsize(arguments.file)),
        "Content-Digest": digest_field(arguments.file),
    }
    if arguments.new:
        headers["If-None-Match"] = "*"
    with open(arguments.file, "rb") as file:
        with request("PUT", "/files", arguments.key, headers=headers, body=file) as answer:
            print(f"saved as version {answer.headers['ETag'].strip(chr(34))[:12]}")


def fetch(arguments):
    with request("GET", "/files", arguments.key, query={"version": arguments.version}) as answer:
        partial = arguments.file + ".part"
        with open(partial, "wb") as file:
            shutil.copyfileobj(answer, file, PIECE_BYTES)
    # A line that was cut does not leave half a document under its name.
    if os.path.getsize(partial) != int(answer.headers["Content-Length"]):
        sys.exit(f"{arguments.key} did not come whole: it is in {partial} as far as it came")
    os.replace(partial, arguments.file)


def history(arguments):
    with request("GET", "/versions", arguments.key) as answer:
        for version in json.load(answer)["versions"]:
            print(version["version"][:12], version["from"], f"{version['size']} bytes")


def list_documents(arguments):
    after = None
    while True:
        with request("GET", "/files", query={"prefix": arguments.prefix, "after": after}) as answer:
            page = json.load(answer)
        for entry in page["entries"]:
            print(entry["modified"], entry["size"], entry["key"], sep="\t")
        after = page.get("next")
        if after is None:
            return


def parse():
    parser = argparse.ArgumentParser(description="Keeps documents with all their versions.")
    commands = parser.add_subparsers(required=True)
    saving = commands.add_parser("save", help="store a file as the newest version of a document")
    saving.add_argument("key")
    saving.add_argument("file")
    saving.add_argument("--type", default="application/octet-stream", help="content type")
    saving.add_argument("--new", action="store_true", help="only if there is no such document")
    saving.set_defaults(run=save)
    fetching = commands.add_parser("fetch", help="write a document to a file")
    fetching.add_argument("key")
    fetching.add_argument("file")
    fetching.add_argument("--version", help="an earlier version, or the beginning of its id")
    fetching.set_defaults(run=fetch)
    telling = commands.add_parser("history", help="the versions of a document, newest first")
    telling.add_argument("key")
    telling.set_defaults(run=history)
    listing = commands.add_parser("list", help="documents below a prefix")
    listing.add_argument("prefix", nargs="?", default="")
    listing.set_defaults(run=list_documents)
    return parser.parse_args()


if __name__ == "__main__":
    parsed = parse()
    try:
        parsed.run(parsed)
    except urllib.error.HTTPError as error:
        # RFC 9457: what went wrong, and a code that programs can go by.
        problem = json.load(error) if "json" in error.headers.get("Content-Type", "") else {}
        sys.exit(f"{problem.get('detail', error.reason)} ({problem.get('code', error.code)})")
    except urllib.error.URLError as error:
        sys.exit(f"{URL} cannot be reached: {error.reason}")
