"""Watches for what may differ the next time: clocks, chance, other processes and the network."""

import ctypes
import datetime
import functools
import gc
import os
import platform
import posix
import random
import resource
import sys
import threading
import time
import timeit
import uuid
from typing import Any, Callable, Dict, List, Optional, Set

from .user_code import is_user_file
from .watch import Watch
from .watch_files import HAS_AUDIT, argument, replace_in_os, wrapped

_CLOCKS = (
    *("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"),
    *("process_time", "process_time_ns", "thread_time", "thread_time_ns", "clock"),
    *("clock_gettime", "clock_gettime_ns"),
)
_CALENDARS = {"localtime": 0, "gmtime": 0, "ctime": 0, "asctime": 0, "strftime": 1}
"""Functions that use the current time by default, with the number of arguments before the time."""
_PROCESS = "starts another process"
_NETWORK = "uses the network"
_EVENTS = {
    "subprocess.Popen": _PROCESS,
    "os.system": _PROCESS,
    "os.exec": _PROCESS,
    "os.posix_spawn": _PROCESS,
    "os.fork": _PROCESS,
    "os.forkpty": _PROCESS,
    "pty.spawn": _PROCESS,
    "socket.connect": _NETWORK,
    "socket.sendto": _NETWORK,
    "socket.bind": _NETWORK,
    "socket.getaddrinfo": _NETWORK,
    "socket.gethostbyname": _NETWORK,
    "socket.gethostname": "asks for the name of this machine",
}
_MACHINE = "asks for the name of this machine"
_NUMBERS = ("getppid", "getpgrp", "getpgid", "getsid")
_STATES = {"statvfs": "disk", "fstatvfs": "disk", "getloadavg": "load"}
_MEMORY = ("SC_PHYS_PAGES", "SC_AVPHYS_PAGES")
_LIBRARY = "loads a native library"
_enumerate = threading.enumerate


def watch_chance(watch: Watch) -> None:
    """Watches from now on, in this process."""
    _watch_clocks(watch)
    _watch_randomness(watch)
    _watch_machine(watch)
    _watch_processes(watch)
    before = set(_enumerate())
    watch.at_the_end(lambda watch: _look_at_threads(watch, before))


def _watch_clocks(watch: Watch) -> None:
    for name in _CLOCKS:
        if hasattr(time, name):
            _blame(watch, time, name, f"reads the clock (time.{name})", imports=False)
    _blame_in_os(watch, "times", "reads the clock (os.times)", imports=False)
    timer = "default_timer"
    _blame(watch, timeit, timer, f"reads the clock (timeit.{timer})", imports=False)
    _blame(watch, uuid, "uuid1", "reads the clock (uuid.uuid1)")
    for name, others in _CALENDARS.items():
        _blame_without_arguments(watch, name, others)
    for name in ("now", "utcnow"):
        _watch_datetime(watch, name)


def _blame(
    watch: Watch,
    module: Any,
    name: str,
    reason: str,
    unless: Callable[[], bool] = lambda: False,
    imports: bool = True,
) -> None:
    """Notes that the user's code calls a function; see :meth:`Watch.culprit` for ``imports``."""
    original = getattr(module, name)

    def call(*args: Any, **named: Any) -> Any:
        line = "" if unless() else watch.culprit(imports)
        if line:
            watch.give_up(reason, line)
        return original(*args, **named)

    setattr(module, name, wrapped(original, call))


def _blame_without_arguments(watch: Watch, name: str, others: int) -> None:
    original = getattr(time, name)

    def call(*args: Any) -> Any:
        if len(args) <= others or args[others] is None:
            line = watch.culprit(imports=False)
            if line:
                watch.give_up(f"reads the clock (time.{name})", line)
        return original(*args)

    setattr(time, name, wrapped(original, call))


def _watch_datetime(watch: Watch, name: str) -> None:
    """Replaces a method of ``datetime.datetime``. An assignment cannot replace it."""
    kind = datetime.datetime
    methods = _methods(kind)
    original = methods[name]

    def call(cls: Any, *args: Any, **named: Any) -> Any:
        line = watch.culprit(imports=False)
        if line:
            watch.give_up(f"reads the clock (datetime.{name})", line)
        return original.__get__(None, cls)(*args, **named)

    call.__name__, call.__qualname__ = name, f"datetime.{name}"
    call.__doc__ = original.__doc__
    methods[name] = classmethod(call)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))


# --- chance ----------------------------------------------------------------------------------


class _Seeded:
    """Whether the user's code seeded a generator, so that it draws the same numbers each time."""

    def __init__(self) -> None:
        self.known = False

    def __call__(self) -> bool:
        return self.known


def _watch_randomness(watch: Watch) -> None:
    entropy = posix.urandom
    latest = [""]

    def urandom(size: int) -> bytes:
        line = watch.culprit()
        if line:
            latest[0] = watch.give_up("draws random numbers (os.urandom)", line)
        return entropy(size)

    made = wrapped(entropy, urandom)
    replace_in_os("urandom", made, watch)
    vars(random)["_urandom"] = made
    if hasattr(posix, "getrandom"):
        _blame_in_os(watch, "getrandom", "draws random numbers (os.getrandom)")
    for name in ("RAND_bytes", "RAND_pseudo_bytes"):
        if hasattr(sys.modules.get("ssl"), name):  # TensorFlow imports it
            _blame(watch, sys.modules["ssl"], name, f"draws random numbers (ssl.{name})")
    _watch_generator(watch, random, vars(random)["_inst"], "random")
    _watch_new_generators(watch)
    numpy: Any = getattr(sys.modules.get("numpy"), "random", None)  # NumPy may load it only now
    if numpy is not None:
        _watch_generator(watch, numpy, numpy.mtrand._rand, "numpy.random")
        _watch_seeds_of_numpy(watch, numpy, latest)


def _blame_in_os(watch: Watch, name: str, reason: str, imports: bool = True) -> None:
    original = getattr(posix, name)

    def call(*args: Any, **named: Any) -> Any:
        line = watch.culprit(imports)
        if line:
            watch.give_up(reason, line)
        return original(*args, **named)

    replace_in_os(name, wrapped(original, call), watch)


def _watch_generator(watch: Watch, module: Any, generator: Any, named: str) -> None:
    """Watches the functions of a module that are methods of its only generator."""
    seeded = _Seeded()
    for name in dir(module):
        function = getattr(module, name)
        if name in ("seed", "setstate", "set_state"):
            setattr(module, name, _seeding(watch, function, seeded))
        elif getattr(function, "__self__", None) is not generator:
            continue
        elif not name.startswith(("get_state", "getstate")):
            _blame(watch, module, name, f"draws random numbers ({named}.{name})", seeded)


def _watch_seeds_of_numpy(watch: Watch, numpy: Any, latest: List[str]) -> None:
    """Watches ``RandomState(seed)``, which draws a random seed but does not use it."""
    methods = _methods(numpy.MT19937) if hasattr(numpy, "MT19937") else {}
    original = methods.get("_legacy_seeding")
    if original is None:  # an old numpy does not draw a seed here
        return

    def _legacy_seeding(self: Any, seed: Any) -> Any:
        if seed is not None:
            watch.take_back(latest[0])
        latest[0] = ""
        return original(self, seed)

    methods["_legacy_seeding"] = _legacy_seeding
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(numpy.MT19937))


def _methods(kind: type) -> Dict[str, Any]:
    """Returns the dict of a type's methods. Changing it works for types in C, too."""
    found: Dict[str, Any]
    (found,) = gc.get_referents(vars(kind))
    return found


def _seeding(watch: Watch, function: Any, seeded: _Seeded) -> Any:
    def seed(*args: Any, **named: Any) -> Any:
        seeded.known = argument(args, named, 0, "a", "seed", "state") is not None
        return function(*args, **named)

    return wrapped(function, seed)


def _watch_new_generators(watch: Watch) -> None:
    """Watches for a generator that the user's code makes without a seed."""
    original = random.Random.seed

    def seed(self: Any, a: Any = None, *args: Any, **named: Any) -> None:
        line = watch.culprit() if a is None else ""
        if line:
            watch.give_up("draws random numbers (random.Random without a seed)", line)
        original(self, a, *args, **named)

    kind: Any = random.Random
    kind.seed = wrapped(original, seed)


# --- the machine -----------------------------------------------------------------------------


def _watch_machine(watch: Watch) -> None:
    platform.uname()  # is remembered: functions such as platform.system ask for no name then
    for name in ("getpid", *_NUMBERS):
        _blame_in_os(watch, name, f"uses its process id (os.{name})", imports=False)
    _blame_in_os(watch, "uname", f"{_MACHINE} (os.uname)")
    for name in ("node", "release", "version", "platform"):
        _blame(watch, platform, name, f"{_MACHINE} (platform.{name})", imports=False)
    _blame(watch, platform, "uname", f"{_MACHINE} (platform.uname)", _is_in_platform, False)
    _blame(watch, uuid, "getnode", f"{_MACHINE} (uuid.getnode)")
    for name, what in _STATES.items():
        _blame_in_os(watch, name, f"asks for the {what} of this machine (os.{name})")
    _blame(
        watch,
        resource,
        "getrusage",
        "asks how much time and memory it has used (resource.getrusage)",
    )
    memory = {*_MEMORY, *(os.sysconf_names.get(name) for name in _MEMORY)}
    original = posix.sysconf

    def sysconf(*args: Any) -> Any:
        line = watch.culprit() if args and args[0] in memory else ""
        if line:
            watch.give_up("asks for the memory of this machine (os.sysconf)", line)
        return original(*args)

    replace_in_os("sysconf", wrapped(original, sysconf), watch)


def _is_in_platform() -> bool:
    """Whether a function of :mod:`platform` makes the call, which drops the name."""
    return sys._getframe(2).f_code.co_filename == platform.__file__


# --- other processes -------------------------------------------------------------------------


def _watch_processes(watch: Watch) -> None:
    if HAS_AUDIT:
        sys.addaudithook(functools.partial(_audited, watch))
        return
    import _posixsubprocess
    import _socket

    for name in ("fork", "forkpty", "system", "execv", "execve", "posix_spawn"):
        if hasattr(posix, name):
            replace_in_os(name, _giving_up(watch, getattr(posix, name), _PROCESS), watch)
    started: Any = _posixsubprocess
    started.fork_exec = _giving_up(watch, started.fork_exec, _PROCESS)
    sockets: Any = sys.modules.get("socket")
    if sockets is None:
        import socket as sockets
    for module in (sockets, _socket):
        for name in ("getaddrinfo", "gethostbyname", "gethostname"):
            reason = _EVENTS[f"socket.{name}"]
            setattr(module, name, _giving_up(watch, getattr(module, name), reason))
    for name in ("connect", "connect_ex", "sendto", "bind"):
        method = _giving_up(watch, getattr(_socket.socket, name), _NETWORK)
        setattr(sockets.socket, name, method)
    kind: Any = ctypes.CDLL
    make = kind.__init__

    def __init__(self: Any, *args: Any, **named: Any) -> None:  # noqa: N807
        _give_up_for_library(watch, argument(args, named, 0, "name"))
        make(self, *args, **named)

    kind.__init__ = wrapped(make, __init__)


def _giving_up(watch: Watch, original: Any, reason: str) -> Any:
    def call(*args: Any, **named: Any) -> Any:
        watch.give_up(reason, watch.user_line())
        return original(*args, **named)

    return wrapped(original, call)


def _audited(watch: Watch, event: str, given: Any) -> None:
    reason: Optional[str] = _EVENTS.get(event)
    if reason is not None:
        watch.give_up(reason, watch.user_line())
    elif event == "ctypes.dlopen":
        _give_up_for_library(watch, given[0])


def _give_up_for_library(watch: Watch, name: Any) -> None:
    line = watch.culprit()
    if not line and type(name) is str and "/" in name and is_user_file(name):
        line = watch.user_line()  # a trusted package loads it for the user's code
    if line:
        watch.give_up(_LIBRARY, line)


def _look_at_threads(watch: Watch, before: Set[Any]) -> None:
    left: Dict[str, None] = dict.fromkeys(t.name for t in _enumerate() if t not in before)
    if left:
        watch.give_up(f"leaves a thread running ({', '.join(left)[:100]})")
