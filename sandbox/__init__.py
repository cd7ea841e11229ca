"""A stand-in for Meta and YCloud with behaviour: for `make run`, demonstrations and the tests.

Real HTTP on the loopback, the standard library only. The app never imports it; it only points
its addresses here. What it does is written from YCloud's OpenAPI v1.16.2 (July 2026), its docs
and live answers that others published, and Meta's Embedded Signup pages (read November 2026).
"""
