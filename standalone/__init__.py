"""The whole house on one machine: real servers, service processes under one supervisor, and invented people."""
