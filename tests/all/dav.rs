//! WebDAV: reading, writing, trees.
