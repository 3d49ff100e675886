"""Synthetic data, calibration and training; the only folder that may import torch."""
