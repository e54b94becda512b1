"""The nouns several rooms share: frozen dataclasses, no behaviour beyond their own meaning, no I/O."""
