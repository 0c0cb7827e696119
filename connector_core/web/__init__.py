"""The connector over HTTP, as an ASGI app to mount or to run; needs the extra ``web``."""
