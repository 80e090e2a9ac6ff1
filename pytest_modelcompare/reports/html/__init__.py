"""What the page of a report shows, worked out here; templates and scripts only set it and draw it."""
