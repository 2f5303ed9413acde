"""Arrays in, one value per finding out; undefined is NaN."""
