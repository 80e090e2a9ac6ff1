"""Fitting: the fine-tuning loop and logistic regression."""
