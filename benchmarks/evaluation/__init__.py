"""How good the analysis is, on labelled and on real material: `make eval`; what and why: `benchmarks/README.md`."""
