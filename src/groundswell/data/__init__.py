"""The data floor: places, windows, settings, histories, records and their readers; knows no model."""
