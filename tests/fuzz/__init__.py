"""Any bytes, into each function that reads what a server or a user's file holds: `python -m tests.fuzz.run`.

`harnesses` and `fast_paths` have the functions that are fuzzed, `seeds` what the fuzzer starts from. The ordinary
tests run each of them for a moment, without a fuzzer.
"""
