"""The keys of sengend.conf as lib/settings.c and lib/flow/profile.c describe them, for man_check.py."""
import re


class Key:
    def __init__(self, group, name, kind, fallback, least=None, most=None, choices=()):
        self.group, self.name, self.kind = group, name, kind  # group: "" for the file itself, else "transport" …
        self.fallback = fallback  # None: required; "": none or empty
        self.least, self.most, self.choices = least, most, choices

    def __repr__(self):
        return f"{self.group}.{self.name}" if self.group else self.name


def arguments(text):
    """Splits a macro's arguments at top-level commas; adjacent string literals are one."""
    out, depth, start, quoted = [], 0, 0, False
    for i, c in enumerate(text):
        if c == '"' and text[i - 1] != "\\":
            quoted = not quoted
        elif not quoted and c in "([{":
            depth += 1
        elif not quoted and c in ")]}":
            depth -= 1
        elif not quoted and depth == 0 and c == ",":
            out.append(text[start:i].strip())
            start = i + 1
    out.append(text[start:].strip())
    return out


def literal(text):
    if text == "NULL":
        return None
    if text == "conf_null":
        return ""
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text))


def calls(body):
    """Macro calls NAME(arguments) at the top level of a table."""
    at = 0
    while match := re.compile(r"\b([A-Z][A-Z0-9_]*)\(").search(body, at):
        depth, i, quoted = 1, match.end(), False
        while depth:
            c = body[i]
            if c == '"' and body[i - 1] != "\\":
                quoted = not quoted
            elif not quoted:
                depth += (c == "(") - (c == ")")
            i += 1
        yield match.group(1), arguments(body[match.end():i - 1])
        at = i


def read(path="lib/settings.c"):
    source = open(path, encoding="utf-8").read()
    choices = {name: re.findall(r'"([^"]+)"', body)
               for name, body in re.findall(r"static const char \*const (\w+)\[\] = \{(.*?)\};", source, re.S)}
    tables = {name: body for name, body in
              re.findall(r"const struct conf_key (\w+)\[\] = \{(.*?)\n\};", source, re.S)}
    groups = {}
    for macro, args in calls(tables["settings_keys"]):
        if macro == "KEY" and args[0] in ("CONF_GROUP", "CONF_GROUPS"):
            table = next(a.split("=")[1].strip() for a in args if a.startswith(".keys"))
            groups[table] = args[1]
    keys = []
    for table, body in tables.items():
        group = "" if table == "settings_keys" else groups[table]
        for macro, args in calls(body):
            if macro == "KEY":
                kind = {"CONF_GROUP": "group", "CONF_GROUPS": "groups", "CONF_LIST": "list"}[args[0]]
                fallback = next((a.split("=", 1)[1] for a in args if a.startswith(".fallback")), "")
                keys.append(Key(group, args[1], kind, literal(fallback.strip())))
            elif macro in ("NUMBER", "SMALL"):
                keys.append(Key(group, args[0], "integer", literal(args[1]), int(args[2]), int(args[3])))
            elif macro == "FLAG":
                keys.append(Key(group, args[0], "flag", literal(args[1])))
            elif macro == "CHOICE":
                keys.append(Key(group, args[0], "choice", literal(args[1]), choices=choices[args[2]]))
            elif macro in ("TEXT", "CHECKED"):
                keys.append(Key(group, args[0], "text", literal(args[1])))
            else:
                raise SystemExit(f"{path}: {macro} is a macro that settings_table.py does not know")
    return keys
