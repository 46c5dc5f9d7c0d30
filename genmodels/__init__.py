"""Train generative models on tables and images, and write synthetic datasets."""

__version__ = "0.1.0"
