"""What an entry in the hosts file would do, for one process: every name below sallyport.test is this machine."""

import socket

_getaddrinfo = socket.getaddrinfo


def _with_hosts(host, *args, **kwargs):
    here = isinstance(host, str) and host.lower().endswith(".sallyport.test")
    return _getaddrinfo("127.0.0.1" if here else host, *args, **kwargs)


socket.getaddrinfo = _with_hosts
