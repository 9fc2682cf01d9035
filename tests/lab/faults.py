# SPDX-License-Identifier: Apache-2.0
"""Faults that the laboratory can inject into a process."""

import contextlib
import ctypes
import os
import pathlib

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WAIT_ALL_THREADS = 0x40000000  # __WALL


def thread_of(pid, name):
    """The thread of the process whose name begins so."""
    for task in sorted(pathlib.Path(f"/proc/{pid}/task").iterdir()):
        if (task / "comm").read_text().startswith(name):
            return int(task.name)
    names = [(task / "comm").read_text().strip()
             for task in pathlib.Path(f"/proc/{pid}/task").iterdir()]
    raise LookupError(f"process {pid} has no thread {name}, but {names}")


def ptrace(request, tid):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    if libc.ptrace(request, tid, None, None) != 0:
        raise OSError(ctypes.get_errno(), f"ptrace({request:#x}, {tid})")


@contextlib.contextmanager
def stopped_thread(pid, name):
    """One thread stands still, the others of its process run (a signal would stop all)."""
    tid = thread_of(pid, name)
    ptrace(PTRACE_SEIZE, tid)
    ptrace(PTRACE_INTERRUPT, tid)
    os.waitpid(tid, WAIT_ALL_THREADS)
    try:
        yield tid
    finally:
        ptrace(PTRACE_DETACH, tid)
