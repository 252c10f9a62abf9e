"""The black-box benchmark behind tests/bench/run: see tests/bench/README.md."""
