#!/usr/bin/python3
"""Compares the computed holidays with Debian 12's python3-holidays (0.10.1) for 1990-2040.

Where that version is wrong the day stands below with the reason; a difference that is not listed, or a listed
one that is gone, fails. Run by holidays_peer.sh.
"""
import os
import subprocess
import sys

import holidays

FIRST, LAST = 1990, 2040

# day: reason. The peer lacks the day, or has one that is none.
PEER_ERRORS = {
    "1990-11-12": "lacks 即位礼正殿の儀 (平成2年法律第24号)",
    "1993-06-09": "lacks 結婚の儀 (平成5年法律第32号)",
    "2021-07-19": "knows nothing of the Olympic year 2021 (令和2年法律第68号): 海の日 was moved away",
    "2021-07-22": "… 海の日 to 7/22",
    "2021-07-23": "… スポーツの日 to 7/23",
    "2021-08-08": "… 山の日 to 8/8",
    "2021-08-09": "… and the substitute of Sunday 8/8",
    "2021-08-11": "… 山の日 was moved away",
    "2021-10-11": "… スポーツの日 was moved away",
    "2025-02-24": "makes no substitute for 天皇誕生日 on a Sunday (2/23)",
    "2031-02-24": "makes no substitute for 天皇誕生日 on a Sunday (2/23)",
}

# our name: the peer's other name for it
PEER_NAMES = {
    "スポーツの日": "体育の日",  # renamed from 2020
    "即位礼正殿の儀の行われる日": "即位礼正殿の儀が行われる日",
}


def computed():
    program = os.path.join(os.environ.get("SENGEN_BUILD", "build"), "tests/unit/test_calendar")
    out = subprocess.run([program, "--list", str(FIRST), str(LAST)], check=True, capture_output=True, text=True).stdout
    return dict(line.split("\t") for line in out.splitlines())


def main():
    ours = computed()
    theirs = {str(day): name for day, name in holidays.Japan(years=range(FIRST, LAST + 1)).items()}
    faults = []
    for day in sorted(set(ours) | set(theirs)):
        known = day in PEER_ERRORS
        if (day in ours) != (day in theirs):
            if not known:
                faults.append(f"{day}: computed {ours.get(day)}, peer {theirs.get(day)}")
        elif known:
            faults.append(f"{day}: listed as an error of the peer, but it agrees")
        elif theirs[day] not in (ours[day], PEER_NAMES.get(ours[day])):
            faults.append(f"{day}: called {ours[day]}, by the peer {theirs[day]}")
    for fault in faults:
        print(fault)
    print(f"figure: {len(ours)} holidays of {FIRST}-{LAST} compared, {len(PEER_ERRORS)} known errors of the peer, "
          f"{len(faults)} unexplained")
    return 1 if faults or len(ours) < 16 * (LAST - FIRST) else 0


sys.exit(main())
