from typing import final

from reluzono._core_least_squares import LeastSquares

@final
class SquaredSearch(LeastSquares): ...
