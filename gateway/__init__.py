"""The one way in: makes Envoy's configuration from the contracts, for one machine and for the chart.

Owns: routing, the first token check, rate limits, the access log and the page under `/docs`.
Reads: `openapi/*.yaml`, and the addresses of the services that it is given.
Publishes: a configuration that Envoy 1.40 runs, and the files of the page.
Never knows: what an operation does, and what is in a body.
"""
