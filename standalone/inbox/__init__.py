"""The inbox of the house: takes every mail, text message and push message, passes none on, and shows them on one page.

It stands where a mail server, a provider of text messages and a push service would; docs/standalone.md says how to ask
it. What it has accepted is on the disk before it says so.
"""
