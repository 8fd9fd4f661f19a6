"""Reads a whole mailbox by Python's imaplib: the login as JSON on standard input, the messages as JSON out."""

import base64
import imaplib
import json
import ssl
import sys

wanted = json.load(sys.stdin)
context = ssl.create_default_context(cafile=wanted["caFile"])
if wanted["tls"] == "implicit":
    imap = imaplib.IMAP4_SSL(wanted["host"], wanted["port"], ssl_context=context, timeout=30)
else:
    imap = imaplib.IMAP4(wanted["host"], wanted["port"], timeout=30)
    imap.starttls(ssl_context=context)
imap.login(wanted["user"], wanted["password"])
state, exists = imap.select(wanted["mailbox"], readonly=True)
if state != "OK":
    sys.exit(f"SELECT: {state} {exists}")
messages = []
state, found = imap.uid("SEARCH", None, "ALL")
for uid in found[0].split():
    state, data = imap.uid("FETCH", uid, "(UID FLAGS RFC822.SIZE BODY.PEEK[])")
    head, body = data[0]
    messages.append(
        {
            "uid": int(uid),
            "head": head.decode("ascii") + data[1].decode("ascii"),
            "body": base64.b64encode(body).decode("ascii"),
        }
    )
imap.close()
imap.logout()
json.dump(messages, sys.stdout)
