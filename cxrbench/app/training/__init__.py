"""The Train page: training runs, started and watched."""
