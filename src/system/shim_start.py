# SPDX-License-Identifier: MIT
# What telec's python3 is started with (-c): takes the programs, and then the orders, from descriptor 3. A program comes
# twice, as the build's python compiled it and as its text; which is used, the interpreter's own magic number decides.
# (To compile shim.py anew costs an eighth of a bare start.) It must compile on every Python 3.
import marshal
import sys

_orders = open(3, "rb", closefd=False)
_magic = getattr(sys.modules.get("_frozen_importlib_external"), "MAGIC_NUMBER", None)


# Each part after its length, in eight digits.
def _part():
    return _orders.read(int(_orders.read(8)))


def _program():
    code, text = _part(), _part()
    return lambda: marshal.loads(code[4:]) if code[:4] == _magic else text


exec(_program()())
