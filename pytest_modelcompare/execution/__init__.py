"""From a suite to evidence: the plan of jobs, their order, what they may spend."""
