"""Pictures of answers: charts as SVG, drawn by our own code, the same bytes for the same answer."""
