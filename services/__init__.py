"""The services of Infirmary, the kernel of words that they share and the chassis that they stand on."""
