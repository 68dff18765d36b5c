"""Load and scale runs that print ratios within one run; never part of the tests."""

import warnings

# The tests' own harness, which some of them borrow, imports a test client that announces its next release.
warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient`")
