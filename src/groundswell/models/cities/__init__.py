"""Models of counts by place and day."""
