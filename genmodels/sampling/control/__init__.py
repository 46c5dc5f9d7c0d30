"""What is asked of sampled rows, and how rows are drawn that are as asked.

Asked: `wishes` (about one column), `shares`, `strata` (scenarios) and `completion` (partial rows);
`constraints` between columns, read by `expressions` and `combinations`, judged by `truth`, computed
by `formulas`. `control` puts all of it together block by block.

Drawn: `given` turns what is asked into evidence, `attempts` draws with it, `controlled` draws again
and counts what falls short. Rows of which nothing is asked are `sampling/sampler.py`'s alone.
"""
