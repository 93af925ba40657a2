//! Two servers on one database: what happens once happens once, and what ends at one ends at the other.
