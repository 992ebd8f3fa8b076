"""Agents. One file is one agent."""

if __name__ == "agents":  # found in the working folder, beside the installed package
    raise ImportError("import sandbox.agents instead: `agents` by itself is only the folder of its sources")
