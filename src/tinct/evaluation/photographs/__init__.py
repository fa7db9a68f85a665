"""The photographs of an evaluation, and the pictures that it keeps."""
