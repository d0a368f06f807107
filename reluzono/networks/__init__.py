"""ReLU networks: exact values, their linear regions, equivalence."""
