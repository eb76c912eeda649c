[anagrafe_telecamere]
title="Anagrafe Telecamere"
desc="Pages of the owner, with TLS and a password"
port_forward="no"
dst.ports="8481/tcp"
