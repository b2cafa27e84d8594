"""What people are shown: cards, steps, evidence, counts and sums. Nothing here judges."""
