"""The Judge page: explanation methods judged against known truth, from stored results."""
