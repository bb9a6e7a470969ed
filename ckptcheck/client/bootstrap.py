"""The first code that runs in the user's interpreter: it takes the tracer's source from the pipe.

Nothing is written to that interpreter's disk, and nothing of ckptcheck has to be on its path.
Python runs the text with ``-c``. The text works in Python 2.7 and later, so that an old Python can
report its version.
"""

BOOTSTRAP = r"""
import os, sys
sys.path[:] = [p for p in sys.path if p]
def _read(count):
    data = b""
    while len(data) < count:
        more = os.read(0, count - len(data))
        if not more:
            sys.exit("ckptcheck: this Python has no standard input (Docker needs docker exec -i)")
        data += more
    return data
_size = b""
while not _size.endswith(b"\n"):
    _size += _read(1)
_data = _read(int(_size))
if sys.version_info < (3, 7):
    os.write(1, ('{"failure": {"kind": "usage", "type": "", "message": "%s is Python %d.%d; '
                 'the tracer needs 3.7 or later"}}\n'
                 % ((sys.executable,) + tuple(sys.version_info[:2]))).encode("utf-8"))
    sys.exit(0)
import importlib.machinery, json
class _Sources(object):
    def __init__(self, sources):
        self.sources = sources
    def find_spec(self, name, path=None, target=None):
        if name not in self.sources:
            return None
        package = name + ".__package__" in self.sources
        return importlib.machinery.ModuleSpec(name, self, is_package=package)
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        code = compile(self.sources[module.__name__], "<%s>" % module.__name__, "exec")
        exec(code, module.__dict__)
sys.meta_path.insert(0, _Sources(json.loads(_data.decode("utf-8"))))
from _ckptcheck.tracer import server
server.main()
"""
