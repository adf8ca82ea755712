"""What this computer is: its graphics cards, its processors, and how many of their cores are ours."""
