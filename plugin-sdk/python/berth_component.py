"""What componentize-py makes a component of: the plugin's nodes, which `src/plugin.py` defines or
imports, behind the contract's exports."""

import sys

# The build leaves no files of its own beside the author's.
sys.dont_write_bytecode = True

import plugin  # type: ignore  # noqa: E402, F401  (its nodes enter the tables as it is imported)

from berth.component import Nodes as Nodes  # noqa: E402
