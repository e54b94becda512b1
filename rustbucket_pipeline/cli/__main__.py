"""`python -m rustbucket_pipeline.cli`: the `rustbucket` command without its installed script."""

from rustbucket_pipeline.cli.main import main

main()
