"""The dashboard: one HTML page that shows where everything stands, from disk, asking nobody. `task.py` is the task.

`facts` is what the page shows, `gather` and its queries find it, `charts` measures it out, `page` writes it down.
"""
