from typing_extensions import disjoint_base

from reluzono._core_training import TrainingSearch

@disjoint_base
class SidedSearch(TrainingSearch): ...
