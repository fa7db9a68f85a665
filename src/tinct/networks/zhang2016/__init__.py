"""Zhang, Isola, Efros, Colorful Image Colorization, ECCV 2016."""
