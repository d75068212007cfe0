"""Disks that lose power, break and fill: a file system of our own (disk.c), an ext4 that is shut down, and a small tmpfs."""
import errno
import fcntl
import os
import struct
import subprocess
import threading
import time

from rig import BUILD

EXT4_IOC_SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2  # linux/ext4.h; xfs has the same


def sync_tree(path):
    """What was made before the experiment is on the disk."""
    for place, _, names in os.walk(path):
        for name in [""] + names:
            fd = os.open(os.path.join(place, name), os.O_RDONLY)
            os.fsync(fd)
            os.close(fd)


class Fuse:
    """disk.c, mounted."""

    def __init__(self, path, mode):
        self.path = path
        os.makedirs(path, exist_ok=True)
        self.process = subprocess.Popen([os.path.join(BUILD, "tests/soak/disk"), path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        if self.process.stdout.readline() != "mounted\n":
            raise RuntimeError("the disk could not be mounted: is /dev/fuse there?")
        self.tell(f"mode {mode}")

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        return self.process.stdout.readline().strip()

    def cut(self, rng):
        """Nothing runs any more; power comes back. Writes that were lost, or might have been."""
        return int(self.tell(f"cut {rng.randrange(1 << 30)}").split()[1])

    def fail(self, kind, percent):
        """How many calls failed until now."""
        return int(self.tell(f"fail {kind} {percent}").split()[1])

    def end(self):
        self.process.stdin.write("quit\n")
        self.process.wait(timeout=20)


class Ext4:
    """A real ext4 on a loop device. A cut shuts it down at once, its journal not written out (the ioctl that xfstests use), and mounts it again."""

    def __init__(self, path, image, mib=96):
        self.path, self.image = path, image
        os.makedirs(path, exist_ok=True)
        with open(image, "wb") as out:
            out.truncate(mib << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
        self.mount()

    def mount(self):
        subprocess.run(["mount", "-o", "loop,commit=60", self.image, self.path], check=True)

    def umount(self):
        for _ in range(50):
            if subprocess.run(["umount", self.path], stderr=subprocess.DEVNULL).returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError(f"{self.path} is busy: " + subprocess.run(["fuser", "-vm", self.path], capture_output=True, text=True).stderr)

    def cut(self, rng):
        fd = os.open(self.path, os.O_RDONLY)
        fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        os.close(fd)
        self.umount()
        self.mount()
        return 0

    def abort(self):
        """What a kernel does with an ext4 (errors=remount-ro) whose disk fails: read-only at once, whoever has files open."""
        subprocess.run(["mount", "-o", "remount,abort", self.path], stderr=subprocess.DEVNULL)

    def end(self):
        self.umount()
        os.unlink(self.image)


class Small:
    """A tmpfs that is filled to its last block, and kept full while others free blocks."""

    def __init__(self, path, mib):
        self.path, self.filler = path, os.path.join(path, ".filler")
        os.makedirs(path, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", path], check=True)
        self.thread, self.full = None, False

    def fill(self):
        self.full = True
        self.thread = threading.Thread(target=self.keep_full, daemon=True)
        self.thread.start()

    def keep_full(self):
        fd = os.open(self.filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            size = 1 << 20
            while self.full:
                try:
                    os.write(fd, b"\0" * size)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    if size > 4096:
                        size //= 4
                    else:
                        time.sleep(0.002)
        finally:
            os.close(fd)

    def free(self):
        self.full = False
        self.thread.join()
        os.unlink(self.filler)

    def end(self):
        subprocess.run(["umount", "-l", self.path], check=True)
