"""The local stack of `make run` and `make test`: embedded servers, a supervisor, no Django."""
