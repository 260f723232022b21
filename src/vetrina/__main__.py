"""`python -m vetrina`."""

import sys

from vetrina.cli import main

sys.exit(main())
