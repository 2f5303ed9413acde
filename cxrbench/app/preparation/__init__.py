"""The Preparation page: preprocessing and augmentation of one radiograph, step by step."""
