"""`python3 -m bench`: see README.md beside this file."""

import sys

from .run import main

sys.exit(main())
