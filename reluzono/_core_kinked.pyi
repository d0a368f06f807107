from typing import final

from reluzono._core_programs import LinearPrograms

@final
class KinkedSearch(LinearPrograms): ...
