"""Compares manual pages and the shipped sengend.conf with the tables in the source. Run by man_check.sh."""
import os
import re
import subprocess
import sys

import settings_table

BUILD = sys.argv[1]
faults = []


def read(path):
    return open(path, encoding="utf-8").read()



def key_spec(key):
    """What stands behind a key in sengend.conf(5)."""
    kinds = {"flag": "true or false", "list": "list of texts", "group": "group", "groups": "list of groups", "text": "text"}
    text = kinds.get(key.kind)
    if key.kind == "integer":
        text = f"integer, {key.least} to {key.most}"
    elif key.kind == "choice":
        text = "one of " + ", ".join(key.choices)
    if key.kind == "group":
        return text
    if key.fallback is None:
        return text + "; required"
    if key.fallback == "" and key.kind in ("text", "list", "groups"):
        return text + "; default none"
    return text + f"; default {key.fallback}"


def settings():
    page, shipped = read("man/sengend.conf.5"), read("config/sengend.conf")
    keys = settings_table.read()
    # Sections of the page: the file's own keys, and "Keys of the group(s in) NAME".
    main = page.split("\n.Sh PROFILES")[0]
    parts = re.split(r"\nKeys of the groups? ?(?:in)?\n\.Ic (\w+) :\n", main)
    sections = {"": parts[0]}
    for name, body in zip(parts[1::2], parts[2::2]):
        own, _, rest = body.partition("\n.El\n")
        sections[name] = own
        sections[""] += rest
    for key in keys:
        if f".It Ic {key.name}\n.Pq {key_spec(key)}\n" not in sections.get(key.group, ""):
            faults.append(f"man/sengend.conf.5: key {key!r} is missing, or not described as: {key_spec(key)}")
        at = re.search(rf"(?m)^#?.*\b{key.name} (=|:)", shipped)
        if not at:
            faults.append(f"config/sengend.conf: key {key!r} is missing")
        elif key.kind in ("integer", "flag") and key.fallback is not None and not re.search(
                rf"(?m)^\s*{key.name} = {re.escape(key.fallback)};", shipped):
            faults.append(f"config/sengend.conf: key {key!r} does not stand there with its default {key.fallback}")
    named = {(group, name) for group, body in sections.items() for name in re.findall(r"\.It Ic (\w+)", body)}
    for group, name in sorted(named - {(k.group, k.name) for k in keys}):
        faults.append(f"man/sengend.conf.5: there is no key {group}.{name}")
    return len(keys)


def profiles():
    source, page = read("lib/flow/profile.c"), read("man/sengend.conf.5").split("\n.Sh PROFILES")[1]
    names = re.findall(r"(?:SPAN|STAGE|PROFILE)_KEY\((\w+), [C\"]", source) + ["template"]
    for name in names:
        if f".It Ic {name}\n" not in page:
            faults.append(f"man/sengend.conf.5: profile key {name} is missing")
    return len(names)


def placeholders():
    page = read("man/sengen-templates.5")
    rows = re.findall(r"^\tX\((\w+), (TEXT|LINES|CONDITION), ", read("lib/mail/notice.c"), re.M)
    for name, _ in rows:
        if f".It Li {name}\n" not in page:
            faults.append(f"man/sengen-templates.5: placeholder {name} is missing")
    for name in re.findall(r"\.It Li (\w+)\n", page):
        if name not in dict(rows):
            faults.append(f"man/sengen-templates.5: there is no placeholder {name}")
    return len(rows)


def form_fields():
    page = read("man/sengen-forms.5")
    names = re.findall(r'X\(FIELD_\w+, "(\w+)"\)', read("lib/register.h"))
    for name in names:
        if f".It Li {name} Ta" not in page:
            faults.append(f"man/sengen-forms.5: field {name} is missing")
    return len(names)


def help_of(*words):
    env = dict(os.environ, LC_ALL="C.UTF-8")
    command = [os.path.join(BUILD, words[0]), *words[1:], "--help"]
    return subprocess.run(command, capture_output=True, text=True, env=env, check=True).stdout


def options_in(text):
    return set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", text)) - {"help"}


def daemon_options():
    page, named = read("man/sengend.8"), options_in(help_of("sengend"))
    for option in sorted(named):
        if not re.search(rf"Fl -{option}\b", page):
            faults.append(f"man/sengend.8: option --{option} is missing")
    return len(named)


def commands():
    page = read("man/sengenctl.1")
    names = re.findall(r"(?m)^  ([a-z][a-z-]*(?: [a-z-]+)?)  +", help_of("sengenctl"))
    for name in names:
        # An item of its own, or several of one command: everything up to another command's.
        own = "".join(re.findall(rf"(?ms)^\.(?:It )?Cm {name}\b.*?(?=^\.It |^\.El)", page))
        if not own:
            faults.append(f"man/sengenctl.1: command {name} is missing")
        for option in sorted(options_in(help_of("sengenctl", *name.split())) - {"json", "reason", "at"}):
            if not re.search(rf"Fl -{option}\b", own):
                faults.append(f"man/sengenctl.1: option --{option} of {name} is missing")
    for option in ("json", "reason", "at"):
        if f"Fl -{option}" not in page:
            faults.append(f"man/sengenctl.1: option --{option} is missing")
    return len(names)


def rights():
    """What the help says one needs is what the daemon wants."""
    wanted = dict(re.findall(r'\{"([a-z-]+)", RIGHT_(\w+), ', read("daemon/control_request.c")))
    rows = re.findall(r'\{"([a-z -]+)",(?:(?!\n\t\{).)*?HELP_\w+,\s*RIGHT_(\w+),\s*NEED_SOCKET', read("ctl/commands.c"), re.S)
    for name, right in rows:
        known = wanted.get(name.split()[-1])
        if known and known != right:
            faults.append(f"ctl/commands.c: {name} says RIGHT_{right}, the daemon wants RIGHT_{known}")
    return len(rows)


def tests_named_in_readme():
    """README.md says where each promise is tested: those tests must be there."""
    names = set(re.findall(r"`([\w/.]+\.(?:c|sh))`", read("README.md")))
    for name in sorted(names):
        if not any(os.path.exists(os.path.join(below, name)) for below in (".", "tests/unit", "tests/scripts")):
            faults.append(f"README.md: there is no test {name}")
    return len(names)


counts = {check.__name__: check() for check in (settings, profiles, placeholders, form_fields, daemon_options, commands, rights,
                                            tests_named_in_readme)}
for what, count in counts.items():
    if not count:
        faults.append(f"{what}: nothing was found to compare; has the source changed its form?")
for fault in faults:
    print(fault)
print("figure: " + ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in counts.items()) + " compared with the manual")
sys.exit(1 if faults else 0)
