"""Small neural networks that run on the CPU through OpenCV: weights, and one file for each use."""
