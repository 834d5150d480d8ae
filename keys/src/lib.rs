//! Keys and the boxes they make. `keys` knows keys: no documents, no cluster, no files.
