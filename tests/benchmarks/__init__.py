"""Short versions of the benchmarks: does the measuring itself work?"""
