"""Calls for IMAPClient 4.1.0 and for this library, to compare what comes back.

Two interpreters run `driver`, as ``python -m same_as_imapclient.driver`` in this folder's parent. One imports
IMAPClient 4.1.0, the other one this library. So `driver` and the modules of calls need only the standard library, a
package named ``imapclient``, and helpers that import neither. `comparing` runs in the tests' process.
"""

import sys
from pathlib import Path

if __name__ == "same_as_imapclient":
    # For tests.helpers. It comes last, because the checkout has a package of the name ``imapclient`` too.
    sys.path.append(str(Path(__file__).parents[3]))
