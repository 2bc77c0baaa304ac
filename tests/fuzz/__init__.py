"""Fuzzing: any bytes for each function that parses a server's data or a user's file. `python -m tests.fuzz.run`.

`harnesses` and `fast_paths` have the functions to fuzz. `seeds` has the inputs from which the fuzzer starts. The
ordinary tests run each function for a moment, without a fuzzer.
"""
