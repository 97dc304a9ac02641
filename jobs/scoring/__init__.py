"""Text in, interests out, nothing sensitive ever. Plain Python and numpy over Arrow arrays; knows nothing of Spark."""
