"""An evaluation run: asks contestants, scores their answers, keeps records in a journal and a results file."""
