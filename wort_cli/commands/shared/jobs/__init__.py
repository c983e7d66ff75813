"""Jobs as commands print them: their states, plans, estimates and history."""
