"""The one door to machines that aren't ours: which addresses may be reached, and fetches bounded in time and bytes."""
