//! Go `text/template` with the sprig functions that sealed-secrets 0.40.0 allows.
