"""Networks of compact support that are close to a given function: Theorem 2.3, with the error measured."""
