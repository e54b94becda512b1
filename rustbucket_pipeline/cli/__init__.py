"""The `rustbucket` command: a file per noun, thin. It asks the rooms below and prints; no logic of its own."""
