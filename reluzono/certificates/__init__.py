"""What each proof looks like (plain data) and how it is re-checked.

`reluzono.certificates.check` uses the standard library only and shares no code with the producers
of certificates, which stand beside the algorithms (`reluzono.networks.proofs` and others).
"""

from reluzono.certificates.check import Report, network_digest, seal, verify
from reluzono.certificates.data import Refused

__all__ = ["Refused", "Report", "network_digest", "seal", "verify"]
