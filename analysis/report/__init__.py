"""One file a form of report; each renders a comparison to text."""
