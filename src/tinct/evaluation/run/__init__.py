"""An evaluation run: contestants are asked, answers are scored, records are kept in a journal and a results file."""
