#!/usr/bin/env python3
"""Checks a journal exported by `rollcall export session ID --format journal`. Standard library only.

python3 verify_journal.py FILE prints what was changed, line by line, and exits with 1 if anything was.
docs/reference/journal.md says what is checked and why.
"""
import base64, hashlib, json, sys

def canonical(value):
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

def sha256(text):
    return hashlib.sha256(text.encode("utf-8", "surrogatepass"))

def faults(lines):
    session = json.loads(lines[0])["session_id"]
    seq, chain = 0, sha256("rollcall journal 2\n" + session).hexdigest()
    if len(lines) < 3 or "records" not in json.loads(lines[-1]):
        yield f"{session}: the file is cut off: its last line must be the records"
    for line in lines[1:]:
        commit = json.loads(line)
        if line is lines[-1] and "records" in commit:
            continue  # the chain doesn't cover them
        if "first_seq" not in commit:
            yield f"{session}: a line after seq {seq} is no commit"
            continue
        first = commit["first_seq"]
        if first != seq + 1:
            yield f"{session}: seq {first}, seq: {seq + 1} belongs here"
        seq = commit["last_seq"]
        if commit["format"] == 1:
            continue  # from before there was a chain
        if commit["format"] != 2:
            yield f"{session}: seq {first}, format: {commit['format']} is not known"
            return
        if not all(isinstance(commit.get(part), str) for part in ("facts", "personal", "chain")):
            yield f"{session}: seq {first}, facts, personal or chain: no text"
            continue
        chain = sha256(chain + commit["facts"]).hexdigest()
        if chain != commit["chain"]:
            yield f"{session}: seq {first}, facts or chain: one of them was changed"
        chain = commit["chain"]
        try:
            facts, values = json.loads(commit["facts"]), json.loads(commit["personal"])
            hashes, entries = list(facts["hashes"]), [dict(entry) for entry in facts["entries"]]
        except (ValueError, KeyError, TypeError):
            yield f"{session}: seq {first}, facts or personal: no JSON of this form"
            continue
        if [entry.get("seq") for entry in entries] != list(range(first, seq + 1)):
            yield f"{session}: seq {first}, facts: the entries are not {first} to {seq}"
        if not isinstance(values, list) or canonical(values) != commit["personal"] or len(values) != len(hashes):
            yield f"{session}: seq {first}, personal: the list was changed"
            continue
        for index, value in enumerate(values):
            digest = base64.urlsafe_b64encode(sha256(canonical(value)).digest()).decode().rstrip("=")
            if value is not None and digest != hashes[index]:
                yield f"{session}: seq {first}, personal: value {index} was changed"

if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        found = list(faults(file.read().split("\n")[:-1]))
    print("\n".join(found) or "every commit fits the chain, and every value its hash")
    sys.exit(1 if found else 0)
