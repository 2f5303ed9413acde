"""The Quiz page: films read alone, then with an AI that is sometimes wrong on purpose."""
