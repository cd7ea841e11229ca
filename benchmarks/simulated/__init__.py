"""The product under a clock of ours: its real code, real PostgreSQL and Valkey, YCloud in-process.

`clock` is the time and what happens when, `wire` takes the place of the network, `broker` that of
Celery's messages, `store` lets Valkey's keys end by this clock, `product` puts them together.
"""
