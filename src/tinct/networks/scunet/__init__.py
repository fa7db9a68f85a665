"""SCUNet, a U-Net with branches for scenes and segments.

Source: Nguyen-Quynh, Kim, Do, Image Colorization Using the Global Scene-Context Style and Pixel-Wise Semantic
Segmentation, IEEE Access 2020.
"""
