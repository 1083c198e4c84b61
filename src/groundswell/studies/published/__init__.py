"""Published numbers that the models must reproduce, one module a level; `groundswell reproduce`."""
