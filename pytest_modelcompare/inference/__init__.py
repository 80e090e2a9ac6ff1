"""Loading models, predicting with them, and timing them side by side."""
