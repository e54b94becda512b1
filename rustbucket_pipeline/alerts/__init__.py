"""Who must know: alerts are opened, counted and closed here; sending them comes later. Stages raise and clear only."""
