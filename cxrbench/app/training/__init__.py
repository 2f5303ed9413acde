"""The Train page: start training runs and follow them."""
