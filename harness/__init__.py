"""What tests, benchmarks and examples share: a real Label Studio and other servers, people at work, crowds, peers.

It imports none of them.
"""
