//! Checks that packages import only from the floors below their own.
