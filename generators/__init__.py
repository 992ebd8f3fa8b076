"""Generative models. One file is one model."""

if __name__ == "generators":  # found in the working folder, beside the installed package
    raise ImportError("import sandbox.generators instead: `generators` by itself is only the folder of its sources")
