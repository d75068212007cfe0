"""isolation.py SUPERVISOR STATE SMTP IMAP: what the processes of a running office hold. Fails where one has what it must not, or where the lines do not stand yet."""
import os
import pathlib
import re
import sys

supervisor, state, ports = int(sys.argv[1]), os.path.realpath(sys.argv[2]), {int(p) for p in sys.argv[3:5]}


def status(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {line.split(":")[0]: line.split(":", 1)[1].strip() for line in lines}


def children_of(pid):
    found = []
    for task in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if int(status(task.name)["PPid"]) == pid:
                found.append(int(task.name))
        except (OSError, KeyError):
            pass
    return found


def internet_sockets(pid):
    """inode: remote port (0: none)"""
    found = {}
    for kind in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        try:
            for line in pathlib.Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()[1:]:
                field = line.split()
                found[field[9]] = int(field[2].split(":")[1], 16)
        except OSError:
            pass
    return found


def descriptors(pid):
    """None: not ours to look at (a process that gave up its rights shows them to root only)"""
    try:
        return [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    except PermissionError:
        return None


faults, with_store, with_network, lines = [], set(), set(), set()
roles = children_of(supervisor)
family = {role: "role " + pathlib.Path(f"/proc/{role}/cmdline").read_text().replace("\0", " ").split()[-1] for role in roles}
for role in roles:
    for zygote in children_of(role):
        family[zygote] = f"zygote of {family[role]}"
        for child in children_of(zygote):
            family[child] = f"child of {family[role]}"
seen = True
for pid, name in family.items():
    try:
        now = status(pid)
        held = descriptors(pid)
        sockets = internet_sockets(pid)
    except OSError:
        continue  # it has ended
    if now["NoNewPrivs"] != "1" or now["Seccomp"] != "2":
        faults.append(f"{name}: NoNewPrivs {now['NoNewPrivs']}, Seccomp {now['Seccomp']}")
    if now["Uid"].split()[1] != "0" and int(now["CapEff"], 16) | int(now["CapPrm"], 16) | int(now["CapAmb"], 16):
        faults.append(f"{name}: CapEff {now['CapEff']} CapPrm {now['CapPrm']}")
    if not re.search(r"^Max core file size +0 +0 ", pathlib.Path(f"/proc/{pid}/limits").read_text(), re.M):
        faults.append(f"{name} may dump core")
    if held is None:
        seen = False
        continue
    store = [path for path in held if path.startswith(state) and not path.endswith(".lock")]
    network = [sockets[path[8:-1]] for path in held if path.startswith("socket:[") and path[8:-1] in sockets]
    lines |= set(network) & ports
    if store:
        with_store.add(pid)
    if network:
        with_network.add(pid)
    if store and not name.startswith("role"):
        faults.append(f"{name} holds {store}")
    if network and not name.startswith("child"):
        faults.append(f"{name} holds a connection")
if with_store & with_network:
    faults.append(f"network and register in one process: {[family[pid] for pid in with_store & with_network]}")
if len(family) < 12 or {"role sender", "role mailbox", "child of role sender", "child of role mailbox"} - set(family.values()):
    faults.append(f"not all are there: {sorted(family.values())}")
if seen and (not with_store or lines != ports):
    faults.append(f"nothing is proved: {len(with_store)} hold the register, lines to {lines}")
if faults:
    sys.exit("\n".join(faults))
print(f"figure: {len(family)} processes, all filtered; {len(with_store)} with the register, {len(with_network)} with a connection, none with both"
      if seen else f"figure: {len(family)} processes, all filtered; what they hold is for root to see")
