"""`python -m genmodels train ...` is `genmodels train ...`."""

from genmodels.cli import main

raise SystemExit(main())
