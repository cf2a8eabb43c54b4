"""What componentize-py makes a component of: the plugin's nodes, which `src/plugin.py` defines or
imports, behind the contract's exports."""

import sys

# The build leaves no files of its own beside the author's.
sys.dont_write_bytecode = True

from berth import _host  # noqa: E402
from berth.component import Nodes as Nodes  # noqa: E402
from berth.places import authors  # noqa: E402

_host.building = True
try:
    import plugin  # type: ignore  # noqa: F401  (its nodes enter the tables as it is imported)
except Exception as error:
    if isinstance(error, ModuleNotFoundError):
        error.add_note(
            "Packages of pure Python are found in .venv, where pip installs them. NumPy, PyTorch "
            "and others with native code do not run here: use berth.Tensor."
        )
    # The SDK's own lines would only hide the author's.
    raise error.with_traceback(authors(error.__traceback__)) from None
_host.building = False
